// From the plan of a model to that of a slice of it: tensors of skipped layers leave, the others are renumbered, the feed-forward and the
// per-layer tables lose what the slice has not. Types stay; whatever is left out is whole blocks.
#pragma once

#include "gemma3n/slice.h"
#include "model/config.h"
#include "quant/plan.h"

namespace gemma3n::quant {

// `config` is the whole model's, the slice fits it.
Status cut(Plan& plan, const format::Checkpoint& checkpoint, const model::Config& config, const Slice& slice);

// Every tensor of the checkpoint under the name that a Hugging Face directory has for it, towers included; `dequantised`: the type of what is
// quantised in the input.
Result<Plan> make_hf_plan(const format::Checkpoint& checkpoint, const model::Config& config, std::optional<DType> dequantised);

}  // namespace gemma3n::quant
