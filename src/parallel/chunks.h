// Work in chunks that threads take one by one, as they come free: the first error stops all of them.
#pragma once

#include "base/result.h"
#include "parallel/pool.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <new>

namespace gemma3n {

// work(chunk, scratch) -> Status, for every chunk in [0, n_chunks); each thread has a Scratch of its own. `progress` (may be empty) is told
// the fraction that was handed out; false from it cancels. `subject` begins the sentences about that and about memory.
template <class Scratch, class Work>
Status run_chunks(int n_threads, int64_t n_chunks, const std::function<bool(double)>& progress, const std::string& subject, Work&& work) {
    std::atomic<int64_t> next{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    Status result;
    const auto end_with = [&](const Error& e) {
        const std::lock_guard lock(mutex);
        if (result) result = e;
        stop = true;
    };
    Pool pool(std::max(n_threads, 1));
    pool.split(pool.n_threads(), 1, [&](int64_t, int64_t, int worker) {
        if (next >= n_chunks) return;  // somebody else's pieces of this region
        try {
            Scratch scratch;
            while (!stop) {
                const int64_t chunk = next++;
                if (chunk >= n_chunks) return;
                if (worker == 0 && progress && !progress(static_cast<double>(chunk) / static_cast<double>(n_chunks))) return end_with(fail(Code::cancelled, "%s: cancelled", subject.c_str()));
                if (const Status done = work(chunk, scratch); !done) return end_with(done.error());
            }
        } catch (const std::bad_alloc&) {
            end_with(fail(Code::over_budget, "%s: out of memory for a chunk of weights", subject.c_str()));
        }
    });
    // the thread that asks may have come too late for a chunk of its own
    if (result && progress && !progress(1)) return fail(Code::cancelled, "%s: cancelled", subject.c_str());
    return result;
}

}  // namespace gemma3n
