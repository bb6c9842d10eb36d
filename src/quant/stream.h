// Reads, converts and writes the tensors of a plan, in chunks of rows that threads take one by one.
#pragma once

#include "base/output_file.h"
#include "quant/imatrix.h"
#include "quant/plan.h"
#include "quant/quantise.h"

namespace gemma3n::quant {

// Where the data of a planned tensor goes, in a file that is open.
struct Place {
    OutputFile* file;
    uint64_t offset;
};

// Place i is of tensor i of the plan. Importance has the columns of its tensors.
Status stream(const format::Checkpoint& checkpoint, const Plan& plan, const Importance& importance, const std::vector<Place>& places, const std::string& output, const Options& options);

}  // namespace gemma3n::quant
