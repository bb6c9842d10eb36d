// What a quantised file will hold: every tensor of the output, its type, and the tensors of the input that it is made of.
#pragma once

#include "format/checkpoint.h"
#include "format/mix.h"
#include "model/config.h"
#include "quant/rules.h"

#include <optional>
#include <string>
#include <vector>

namespace gemma3n::quant {

// Rows or columns [first, first + n) of a tensor of the input.
struct Range {
    int64_t first, n;
};

struct Planned {
    std::string name;            // GGUF
    DType type;
    std::vector<int64_t> shape;  // outermost first
    std::vector<const format::TensorInfo*> parts;  // stacked, of one shape
    float add = 0;               // 1: a norm that Hugging Face stores as w and a GGUF file as 1 + w
    float clip = 0;              // coefficients are cut to this magnitude; 0: none
    bool takes_importance = false;
    std::vector<Range> rows_kept, cols_kept;  // of the only part, ascending; empty: all. Columns are whole blocks
    int64_t row_values = 0;      // what is converted together, where that is not the last dimension; 0: it is

    int64_t cols() const { return row_values > 0 ? row_values : shape.back(); }
    int64_t rows() const {
        int64_t n = 1;
        for (const int64_t d : shape) n *= d;
        return n / cols();
    }
    int64_t part_rows() const {
        if (!rows_kept.empty() || !cols_kept.empty()) return rows_kept.empty() ? parts[0]->rows : sum(rows_kept);
        return parts[0]->rows * parts[0]->cols / cols();
    }
    // The row of its part that a row of the parts comes from.
    int64_t source_row(int64_t r) const {
        r %= part_rows();
        for (const Range& k : rows_kept) {
            if (r < k.n) return k.first + r;
            r -= k.n;
        }
        return r;
    }
    static int64_t sum(const std::vector<Range>& ranges) {
        int64_t n = 0;
        for (const Range& k : ranges) n += k.n;
        return n;
    }
    // Rows beyond those of the parts are zeros.
    int64_t rows_of_parts() const { return static_cast<int64_t>(parts.size()) * part_rows(); }
};

struct Plan {
    std::vector<Planned> tensors;
    int n_requantised = 0;  // from one quantised type to another
};

// Of the text network; without a mix every tensor keeps its type. Marks the rules it uses.
Result<Plan> make_plan(const format::Checkpoint& checkpoint, const model::Config& config, std::optional<format::Mix> mix, bool has_importance, std::vector<Rule>& rules,
                       const std::string& rules_path);
// Of the towers and their embedders, as a projector file has them.
Result<Plan> make_tower_plan(const format::Checkpoint& checkpoint, format::Mix mix, std::vector<Rule>& rules, const std::string& rules_path);

}  // namespace gemma3n::quant
