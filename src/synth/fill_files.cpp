#include "synth/fill_files.h"

#include "parallel/chunks.h"
#include "synth/fill.h"

#include <algorithm>
#include <memory>

namespace gemma3n::synth {

Status fill_files(const std::vector<Place>& places, const std::string& path, const Options& options) {
    std::vector<int64_t> first{0};  // chunk number at which a place begins
    for (const Place& p : places) first.push_back(first.back() + (p.tensor->n_values() + chunk_values - 1) / chunk_values);
    struct Scratch {
        std::unique_ptr<std::byte[]> bytes{new std::byte[chunk_values * sizeof(float)]};
    };
    return run_chunks<Scratch>(options.threads, first.back(), options.progress, path, [&](int64_t chunk, Scratch& scratch) {
        const size_t i = static_cast<size_t>(std::upper_bound(first.begin(), first.end(), chunk) - first.begin()) - 1;
        const Place& p = places[i];
        const int64_t in_tensor = chunk - first[i];
        const uint64_t n = fill_chunk(*p.tensor, p.type, options.seed, in_tensor, scratch.bytes.get());
        return p.file->write_at(p.offset + row_bytes(p.type, chunk_values) * static_cast<uint64_t>(in_tensor), scratch.bytes.get(), n);
    });
}

}  // namespace gemma3n::synth
