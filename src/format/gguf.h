// GGUF v2 and v3, little endian. Layout: "GGUF", u32 version, u64 tensors, u64 keys; keys; tensor infos; padding to the
// alignment; data.
#pragma once

#include "format/checkpoint.h"

namespace gemma3n::format {

struct GgufReader {
    static Result<std::shared_ptr<Checkpoint>> read(std::shared_ptr<File> file);
};

}  // namespace gemma3n::format
