// Rows of the public call as the decoder wants them: a batch for each slice, and the way back to the caller's order.
#pragma once

#include "gemma3n/engine.h"
#include "model/text/decoder.h"

#include <span>
#include <vector>

namespace gemma3n::runtime {

struct GroupedRows {
    std::vector<model::Batch> groups;  // of one slice each
    struct Place {
        int group, row;                // row among the group's logits
    };
    std::vector<Place> wanted;         // of the rows that want logits, in the caller's order
};

// Every error a caller can make is found here. The engine is held.
Result<GroupedRows> grouped(Engine& engine, std::span<const StepRow> rows);

}  // namespace gemma3n::runtime
