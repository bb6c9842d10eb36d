// Hugging Face directories: config.json, model.safetensors or shards with model.safetensors.index.json. A shard: u64 header
// length, JSON header (name -> dtype, shape, data_offsets from the header's end), data.
#pragma once

#include "format/checkpoint.h"

namespace gemma3n::format {

struct SafetensorsReader {
    static Result<std::shared_ptr<Checkpoint>> read(const std::string& directory);

private:
    static Status read_shard(Checkpoint& out, const std::string& path);
};

}  // namespace gemma3n::format
