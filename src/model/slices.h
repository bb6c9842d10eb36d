// The slices that a model offers, and what a person may call them: "full", a name of its own list, a published name, a bare size such as
// 2.98b, a file.
#pragma once

#include "model/slice.h"

#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::model {

struct ListedSlice {
    Slice slice;
    double billions = 0, mmlu = 0;  // as published; 0 where it is not
};

// Those of Gemma 3n E4B, "e4b" (the whole) first; of an E2B "e2b", the whole. Empty for a network of another shape.
std::vector<ListedSlice> published_slices(const Config& config);
bool is_published_name(std::string_view name);  // on an E4B

// All that a model offers: "full", its own, the published ones.
std::vector<ListedSlice> listed_slices(const Config& config);

// By name; checked against the rules and the file. The error names what there is.
Result<Slice> find_slice(const Config& config, const format::Checkpoint& checkpoint, const std::string& name);

// ---- files -----------------------------------------------------------------------------------------------------------
// A JSON object {"name", "layers": [kept] or "skip": [skipped], "widths": one or [one for each kept layer]}, or a list of them; what is
// left out is the whole's. Names are needed in lists. Checked by check_layers.
Result<std::vector<Slice>> slices_from_json(const std::string& json, const Config& config, const std::string& path);
// Rows of the published table: name, number of layers, billions, MMLU, widths as "[2_048 * 4, ...]", skipped layers as "[20, ...]".
Result<std::vector<Slice>> slices_from_csv(const std::string& csv, const Config& config, const std::string& path);
// PATH, or PATH:NAME for one of several.
Result<Slice> slice_from_file(const std::string& path_and_name, const Config& config);
// For a file: what slices_from_json reads.
std::string slices_to_json(const std::vector<Slice>& slices);

}  // namespace gemma3n::model
