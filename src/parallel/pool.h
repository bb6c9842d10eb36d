// The thread pool: a fixed team that shares a region of work. Each worker begins with a range of its own, so that each reads one long
// stream of weights, and takes it in pieces; who is done goes on with pieces that others have not begun. A worker that has no core,
// because other programs want it too, is therefore waited for only if it lost it inside a piece. Workers spin (bounded) between the
// regions of a generation, where regions follow each other within microseconds, and sleep outside it. The caller is worker 0. One region
// at a time, none inside another.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace gemma3n {

class Pool {
public:
    explicit Pool(int n_threads);  // >= 1
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    int n_threads() const { return n_threads_; }

    // Calls f(begin, end, worker) for pieces that make up [0, n), each boundary a multiple of `grain`, and returns when all are done.
    // A worker has one piece at a time. f must not throw; what it computes must not depend on how [0, n) was parted.
    template <class F>
    void split(int64_t n, int64_t grain, F&& f) {
        if (n <= grain || n_threads_ == 1) {
            if (n > 0) f(int64_t{0}, n, 0);
            return;
        }
        using Callable = std::remove_reference_t<F>;
        run(n, grain, [](void* context, int64_t begin, int64_t end, int worker) { (*static_cast<Callable*>(context))(begin, end, worker); },
            const_cast<std::remove_const_t<Callable>*>(&f));
    }

    // Between begin() and end() idle workers spin for a bounded time before they sleep. Counted: calls nest.
    void begin();
    void end();

private:
    struct Impl;
    void run(int64_t n, int64_t grain, void (*f)(void*, int64_t, int64_t, int), void* context);
    std::unique_ptr<Impl> impl_;
    int n_threads_;
};

// Keeps the pool awake for a scope.
struct PoolAwake {
    explicit PoolAwake(Pool& p) : pool(p) { pool.begin(); }
    ~PoolAwake() { pool.end(); }
    Pool& pool;
};

}  // namespace gemma3n
