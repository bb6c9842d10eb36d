// Reads, converts and writes the tensors of a plan, in chunks of rows that threads take one by one.
#pragma once

#include "format/gguf_writer.h"
#include "quant/imatrix.h"
#include "quant/plan.h"
#include "quant/quantise.h"

namespace gemma3n::quant {

// `w` is open; tensor i of the plan is tensor i of the writer. Importance has the columns of its tensors.
Status stream(const format::Checkpoint& checkpoint, const Plan& plan, const Importance& importance, format::GgufWriter& w, const std::string& output, const Options& options);

}  // namespace gemma3n::quant
