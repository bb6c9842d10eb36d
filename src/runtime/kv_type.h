// In which type an engine keeps keys and values.
#pragma once

#include "base/result.h"
#include "gemma3n/options.h"
#include "model/config.h"
#include "tensor/dtype.h"

namespace gemma3n::runtime {

KvType chosen_kv(const EngineOptions& options);  // not automatic any more
DType dtype(KvType type);
inline DType kv_type(const EngineOptions& options) { return dtype(chosen_kv(options)); }
const char* name(KvType type);

bool fits_q8(const model::Config& config);
// Refused when the heads do not fit its blocks.
Status check_kv(const EngineOptions& options, const model::Config& config);

}  // namespace gemma3n::runtime
