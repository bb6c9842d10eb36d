// The rows that are still running in a forward pass: positions, sequences, rotations and the pages each layer reads. Shared by
// the families; narrowing keeps the rows whose logits are wanted.
#pragma once

#include "model/text/decoder.h"
#include "ops/rope.h"

namespace gemma3n::model {

class Rows {
public:
    Rows(Context& c, const Config& config, const Slice& slice, const Batch& batch);

    int64_t n() const { return static_cast<int64_t>(position_.size()); }
    ops::StepRows step_rows() const { return {position_, sequence_}; }
    const ops::RopeTable& rope(int layer) const { return config_.layers[layer].sliding ? local_ : global_; }
    std::span<const ops::KvPages> pages(int layer) const { return pages_[config_.layers[layer].kv_donor]; }
    const std::vector<int64_t>& wanted() const { return wanted_; }  // indices among the batch's rows

    // From here on only the wanted rows run.
    void narrow();
    // The wanted rows of a [groups * n, d] view taken before narrow(), as [groups * wanted, d].
    View narrowed(const View& before, int64_t groups) const;

private:
    void make_ropes();
    Context& c_;
    const Config& config_;
    std::vector<int64_t> position_, wanted_;
    std::vector<int32_t> sequence_;
    std::vector<std::vector<ops::KvPages>> pages_;  // by layer (kept owners only), by sequence
    ops::RopeTable local_, global_;
};

// [n, hidden] input vectors: rows of embed_tokens times sqrt(hidden), or the ready vectors.
View embed_rows(Context& c, const Config& config, const Weights& weights, const Batch& batch);

// Copies rows of a table that stays in its file, columns [first_col, first_col + out.n_cols), as f32.
Status read_rows(Context& c, const RowTable& table, const std::vector<int64_t>& rows, int64_t first_col, View out);

// Attention's numbers for one layer.
ops::AttentionShape attention_shape(const Config& config, int layer);

// Hands a view to the tap if it is wanted; `shape` multiplies to the view's size.
void put(const ForwardOptions& o, const std::string& name, std::vector<int64_t> shape, const View& v);

}  // namespace gemma3n::model
