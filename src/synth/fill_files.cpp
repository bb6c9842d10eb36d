#include "synth/fill_files.h"

#include "parallel/pool.h"
#include "synth/fill.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

namespace gemma3n::synth {

Status fill_files(const std::vector<Place>& places, const std::string& path, const Options& options) {
    std::vector<int64_t> first{0};  // chunk number at which a place begins
    for (const Place& p : places) first.push_back(first.back() + (p.tensor->n_values() + chunk_values - 1) / chunk_values);
    const int64_t n_chunks = first.back();
    std::atomic<int64_t> next{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    Status result;
    const auto end_with = [&](const Error& e) {
        const std::lock_guard lock(mutex);
        if (result) result = e;
        stop = true;
    };
    Pool pool(std::max(options.threads, 1));
    pool.run([&](int worker, int) {
        const std::unique_ptr<std::byte[]> buffer(new (std::nothrow) std::byte[chunk_values * sizeof(float)]);
        if (!buffer) return end_with(fail(Code::over_budget, "%s: out of memory for a chunk of weights", path.c_str()));
        while (!stop) {
            const int64_t chunk = next++;
            if (chunk >= n_chunks) return;
            if (worker == 0 && options.progress && !options.progress(static_cast<double>(chunk) / static_cast<double>(n_chunks))) {
                return end_with(fail(Code::cancelled, "%s: cancelled", path.c_str()));
            }
            const size_t i = static_cast<size_t>(std::upper_bound(first.begin(), first.end(), chunk) - first.begin()) - 1;
            const Place& p = places[i];
            const int64_t in_tensor = chunk - first[i];
            const uint64_t n = fill_chunk(*p.tensor, p.type, options.seed, in_tensor, buffer.get());
            const Status written = p.file->write_at(p.offset + row_bytes(p.type, chunk_values) * static_cast<uint64_t>(in_tensor), buffer.get(), n);
            if (!written) return end_with(written.error());
        }
    });
    return result;
}

}  // namespace gemma3n::synth
