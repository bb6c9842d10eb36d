// What a computation would take from its Arena, on paper: the same calls in the same order give the most bytes that it holds at a time.
// A plan stands beside the code it follows, and tests hold the two against each other.
#pragma once

#include "tensor/dtype.h"

#include <algorithm>
#include <cstdint>

namespace gemma3n {

class ScratchPlan {
public:
    ScratchPlan(int n_threads, bool exact) : n_threads(n_threads), exact(exact) {}

    const int n_threads;
    const bool exact;  // as Context's

    void bytes(uint64_t n) {
        used_ += (n + 63) / 64 * 64;
        peak_ = std::max(peak_, used_);
    }
    void view(int64_t rows, int64_t cols) { bytes(static_cast<uint64_t>(rows) * row_bytes(DType::f32, cols)); }

    uint64_t peak() const { return peak_; }

    // Everything taken inside a scope is free again after it.
    class Scope {
    public:
        explicit Scope(ScratchPlan& p) : plan_(p), used_(p.used_) {}
        ~Scope() { plan_.used_ = used_; }
        Scope(const Scope&) = delete;

    private:
        ScratchPlan& plan_;
        uint64_t used_;
    };

private:
    uint64_t used_ = 0, peak_ = 0;
};

}  // namespace gemma3n
