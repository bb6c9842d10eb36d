// What every op and step is given: the kernels that run, the team, scratch, and whether the exact path was asked for.
#pragma once

#include "base/result.h"
#include "kernels/table.h"
#include "parallel/pool.h"
#include "tensor/arena.h"
#include "tensor/scratch_plan.h"
#include "tensor/view.h"

namespace gemma3n {

// Sees what goes into each matrix product, before it is rounded. For statistics of activations.
class InputObserver {
public:
    virtual ~InputObserver() = default;
    virtual void input(const View& weights, const View& x) = 0;  // x [n, k] f32
};

struct Context {
    const kernels::Table& k;
    Pool& pool;
    Arena& scratch;
    bool exact;  // f32 activations in every product; otherwise 8 bit where the weights are quantised
    InputObserver* inputs = nullptr;

    // Multiplications below which a second worker costs more than it saves: they take a few microseconds, a region takes one, and
    // many where another program wants the cores too.
    static constexpr int64_t worth_sharing = 1 << 17;

    // f(row) for every row, in parallel. Rows are independent, so the partition never shows in the result.
    template <class F>
    void each_row(int64_t n, F&& f) {
        pool.split(n, 1, [&](int64_t begin, int64_t end, int) {
            for (int64_t r = begin; r < end; r++) f(r);
        });
    }
};

}  // namespace gemma3n
