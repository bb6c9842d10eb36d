// config.json of a slice.
#pragma once

#include "format/checkpoint.h"
#include "model/config.h"

#include <string>

namespace gemma3n::quant {

// The checkpoint's own with the lists cut to `sliced`: all else as it is there.
Result<std::string> cut_config_json(const format::Checkpoint& checkpoint, const model::Config& sliced);
// Of a Gemma 3n text model that comes from a GGUF file. `type` is that of its matrices.
Result<std::string> make_config_json(const format::Checkpoint& checkpoint, const model::Config& sliced, DType type);

}  // namespace gemma3n::quant
