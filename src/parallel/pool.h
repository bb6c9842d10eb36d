// The thread pool: a fixed team with a static partition. Workers spin (bounded) between the regions of a generation, where
// regions follow each other within microseconds, and sleep outside it. The caller is worker 0. One region at a time.
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

    // Runs f(worker, n_workers) on every worker and returns when all are done. f must not throw.
    template <class F>
    void run(F&& f) {
        using Callable = std::remove_reference_t<F>;
        run_raw([](void* context, int worker, int n) { (*static_cast<Callable*>(context))(worker, n); }, const_cast<std::remove_const_t<Callable>*>(&f));
    }

    // Splits [0, n) into one contiguous range per worker, each boundary a multiple of `grain`: f(begin, end, worker).
    template <class F>
    void split(int64_t n, int64_t grain, F&& f) {
        const int64_t units = (n + grain - 1) / grain;
        if (units <= 1 || n_threads_ == 1) {
            if (n > 0) f(int64_t{0}, n, 0);
            return;
        }
        run([&](int w, int nw) {
            const int64_t b = units * w / nw * grain, e0 = units * (w + 1) / nw * grain, e = e0 < n ? e0 : n;
            if (b < e) f(b, e, w);
        });
    }

    // Between begin() and end() idle workers spin for a bounded time before they sleep. Counted: calls nest.
    void begin();
    void end();

private:
    struct Impl;
    void run_raw(void (*f)(void*, int, int), void* context);
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
