#include "parallel/pool.h"

#include "base/cpu.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <thread>
#include <vector>

namespace gemma3n {

// A region is entered through the gate: one number that says which region it is, whether it is open, and how many workers are inside.
// The caller opens it, works, closes it when nothing is left to begin, and waits for those who are still inside; who comes later finds it
// closed. Waits spin first: on the machines that matter two regions lie a few microseconds apart, while a futex sleep and wake costs
// about 50. A wait that lasts longer gives the core away in between: whoever is waited for may need it.
struct Pool::Impl {
    static constexpr int spins_awake = 4000;   // about a hundred microseconds
    static constexpr int yields_awake = 200;   // as long again where no one else wants the core
    static constexpr int spins_asleep = 50;
    static constexpr int64_t pieces = 8;       // of a worker's own range: at the end at most one piece of each other worker is waited for

    static constexpr uint32_t open = 1 << 11, inside = open - 1, next_region = 2 * open;
    static constexpr uint32_t region_of(uint32_t gate) { return gate / next_region; }

    struct alignas(64) Range {  // of units of `grain` values
        std::atomic<int64_t> next{0};
        int64_t end = 0;
    };

    explicit Impl(int n_threads) : ranges(static_cast<size_t>(n_threads)) {}

    std::vector<std::thread> threads;
    void (*f)(void*, int64_t, int64_t, int) = nullptr;
    void* context = nullptr;
    int64_t n = 0, grain = 1, piece = 1;
    std::vector<Range> ranges;
    alignas(64) std::atomic<uint32_t> gate{0};
    alignas(64) std::atomic<int> awake{0};
    std::atomic<bool> stop{false};

    // Until the gate is as wanted: done(gate) is asked again whenever it may have changed.
    template <class Done>
    void wait_until(Done&& done) {
        for (;;) {
            const bool is_awake = awake.load(std::memory_order_relaxed) > 0;
            for (int i = 0; i < (is_awake ? spins_awake : spins_asleep); i++) {
                if (done(gate.load(std::memory_order_acquire))) return;
                cpu_relax();
            }
            for (int i = 0; is_awake && i < yields_awake; i++) {
                if (done(gate.load(std::memory_order_acquire))) return;
                std::this_thread::yield();
            }
            const uint32_t now = gate.load(std::memory_order_acquire);
            if (done(now)) return;
            gate.wait(now, std::memory_order_acquire);
        }
    }

    void take_pieces(int worker) {
        for (size_t i = 0; i < ranges.size(); i++) {
            Range& r = ranges[(static_cast<size_t>(worker) + i) % ranges.size()];
            for (int64_t b; r.next.load(std::memory_order_relaxed) < r.end && (b = r.next.fetch_add(piece, std::memory_order_relaxed)) < r.end;)
                f(context, b * grain, std::min(std::min(b + piece, r.end) * grain, n), worker);
        }
    }

    void work(int worker) {
        uint32_t last = 0;  // region
        const auto entered = [&](uint32_t g) {
            if (stop.load(std::memory_order_relaxed)) return true;
            return (g & open) && region_of(g) != last && gate.compare_exchange_strong(g, g + 1, std::memory_order_acq_rel) && (last = region_of(g), true);
        };
        for (;;) {
            wait_until(entered);
            if (stop.load(std::memory_order_relaxed)) return;
            take_pieces(worker);
            const uint32_t left = gate.fetch_sub(1, std::memory_order_acq_rel) - 1;
            if (!(left & (open | inside))) gate.notify_all();  // the caller may sleep
        }
    }

    void run() {
        assert(!(gate.load(std::memory_order_relaxed) & (open | inside)));
        gate.store((region_of(gate.load(std::memory_order_relaxed)) + 1) * next_region | open, std::memory_order_release);  // closed and empty: nobody else writes
        gate.notify_all();
        take_pieces(0);
        gate.fetch_and(~open, std::memory_order_acq_rel);
        wait_until([](uint32_t g) { return !(g & inside); });
    }

    void end_all() {
        stop = true;
        gate.store(inside, std::memory_order_release);  // closed, with more workers than there are: no region's gate looks like it
        gate.notify_all();
        for (auto& t : threads) t.join();
    }
};

Pool::Pool(int n_threads) : n_threads_(std::clamp(n_threads, 1, static_cast<int>(Impl::inside))) {
    impl_ = std::make_unique<Impl>(n_threads_);
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

void Pool::run(int64_t n, int64_t grain, void (*f)(void*, int64_t, int64_t, int), void* context) {
    Impl& p = *impl_;
    p.f = f;
    p.context = context;
    p.n = n;
    p.grain = grain;
    const int64_t units = (n + grain - 1) / grain;
    p.piece = std::max<int64_t>(units / (n_threads_ * Impl::pieces), 1);
    for (int w = 0; w < n_threads_; w++) {
        p.ranges[static_cast<size_t>(w)].next.store(units * w / n_threads_, std::memory_order_relaxed);
        p.ranges[static_cast<size_t>(w)].end = units * (w + 1) / n_threads_;
    }
    p.run();
}

}  // namespace gemma3n
