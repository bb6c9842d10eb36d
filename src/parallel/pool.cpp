#include "parallel/pool.h"

#include "base/cpu.h"

#include <atomic>
#include <thread>
#include <vector>

namespace gemma3n {

// A region is announced by the next epoch and is over when `pending` is zero. Both waits spin first: on the machines that matter
// two regions lie a few microseconds apart, while a futex sleep and wake costs about 50. A wait that lasts longer gives the core away
// in between: whoever is waited for may need it, where there are more threads than cores.
struct Pool::Impl {
    static constexpr int spins_awake = 4000;   // about a hundred microseconds
    static constexpr int yields_awake = 200;   // as long again where no one else wants the core
    static constexpr int spins_asleep = 50;

    std::vector<std::thread> threads;
    void (*f)(void*, int, int) = nullptr;
    void* context = nullptr;
    int n = 1;
    alignas(64) std::atomic<uint32_t> epoch{0};
    alignas(64) std::atomic<int> pending{0};
    alignas(64) std::atomic<int> awake{0};
    std::atomic<bool> stop{false};

    template <class T>
    void wait_change(std::atomic<T>& value, T old) {
        for (;;) {
            const bool is_awake = awake.load(std::memory_order_relaxed) > 0;
            for (int i = 0; i < (is_awake ? spins_awake : spins_asleep); i++) {
                if (value.load(std::memory_order_acquire) != old) return;
                cpu_relax();
            }
            for (int i = 0; is_awake && i < yields_awake; i++) {
                if (value.load(std::memory_order_acquire) != old) return;
                std::this_thread::yield();
            }
            value.wait(old, std::memory_order_acquire);
            if (value.load(std::memory_order_acquire) != old) return;
        }
    }

    void end_all() {
        stop = true;
        epoch.fetch_add(1, std::memory_order_release);
        epoch.notify_all();
        for (auto& t : threads) t.join();
    }

    void work(int worker) {
        for (uint32_t seen = 0;;) {
            wait_change(epoch, seen);
            seen++;
            if (stop.load(std::memory_order_relaxed)) return;
            f(context, worker, n);
            if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1) pending.notify_one();
        }
    }
};

Pool::Pool(int n_threads) : impl_(std::make_unique<Impl>()), n_threads_(n_threads < 1 ? 1 : n_threads) {
    impl_->n = n_threads_;
    try {
        for (int w = 1; w < n_threads_; w++) impl_->threads.emplace_back([this, w] { impl_->work(w); });
    } catch (...) {  // the system has no more threads: those that run must end first
        impl_->end_all();
        throw;
    }
}

Pool::~Pool() { impl_->end_all(); }

void Pool::begin() { impl_->awake.fetch_add(1, std::memory_order_relaxed); }
void Pool::end() { impl_->awake.fetch_sub(1, std::memory_order_relaxed); }

void Pool::run_raw(void (*f)(void*, int, int), void* context) {
    if (n_threads_ == 1) return f(context, 0, 1);
    Impl& p = *impl_;
    p.f = f;
    p.context = context;
    p.pending.store(n_threads_ - 1, std::memory_order_relaxed);
    p.epoch.fetch_add(1, std::memory_order_release);
    p.epoch.notify_all();
    f(context, 0, n_threads_);
    for (int left; (left = p.pending.load(std::memory_order_acquire)) != 0;) p.wait_change(p.pending, left);
}

}  // namespace gemma3n
