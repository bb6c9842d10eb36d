// What a quantised file will hold: every tensor of the output, its type, and the tensors of the input that it is made of.
#pragma once

#include "format/checkpoint.h"
#include "format/mix.h"
#include "model/config.h"
#include "quant/rules.h"

#include <string>
#include <vector>

namespace gemma3n::quant {

struct Planned {
    std::string name;            // GGUF
    DType type;
    std::vector<int64_t> shape;  // outermost first
    std::vector<const format::TensorInfo*> parts;  // stacked, of one shape
    float add = 0;               // 1: a norm that Hugging Face stores as w and a GGUF file as 1 + w
    float clip = 0;              // coefficients are cut to this magnitude; 0: none
    bool takes_importance = false;

    int64_t cols() const { return shape.back(); }
    int64_t rows() const {
        int64_t n = 1;
        for (size_t i = 0; i + 1 < shape.size(); i++) n *= shape[i];
        return n;
    }
    // Rows beyond those of the parts are zeros.
    int64_t rows_of_parts() const { return static_cast<int64_t>(parts.size()) * parts[0]->rows; }
};

struct Plan {
    std::vector<Planned> tensors;
    int n_towers = 0;       // tensors of vision and audio, which a text file does not hold
    int n_requantised = 0;  // from one quantised type to another
};

// Marks the rules it uses; a rule that decides nothing is an error.
Result<Plan> make_plan(const format::Checkpoint& checkpoint, const model::Config& config, format::Mix mix, bool has_importance, std::vector<Rule>& rules,
                       const std::string& rules_path);

}  // namespace gemma3n::quant
