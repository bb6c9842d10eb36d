#include "model/text/rows.h"

#include <cmath>
#include <cstring>
#include <mutex>

namespace gemma3n::model {

Rows::Rows(Context& c, const Config& config, const Slice& slice, const Batch& batch) : c_(c), config_(config), pages_(config.n_layers) {
    for (size_t i = 0; i < batch.rows.size(); i++) {
        position_.push_back(batch.rows[i].position);
        sequence_.push_back(batch.rows[i].sequence);
        if (batch.rows[i].wants_logits) wanted_.push_back(static_cast<int64_t>(i));
    }
    for (const int l : slice.layers) {
        if (!config.owns_kv(l)) continue;
        for (const Cache* cache : batch.caches) pages_[static_cast<size_t>(l)].push_back(cache->pages(l));
    }
    make_ropes();
}

void Rows::make_ropes() {
    const auto local = ops::rope_frequencies(config_.head_dim, config_.rope_theta_local, 1);
    const auto global = ops::rope_frequencies(config_.head_dim, config_.rope_theta_global, config_.rope_scale_global);
    local_ = ops::rope_table(c_, position_, local);
    global_ = ops::rope_table(c_, position_, global);
}

void Rows::narrow() {
    for (size_t i = 0; i < wanted_.size(); i++) {
        position_[i] = position_[wanted_[i]];
        sequence_[i] = sequence_[wanted_[i]];
    }
    position_.resize(wanted_.size());
    sequence_.resize(wanted_.size());
    make_ropes();
}

View Rows::narrowed(const View& before, int64_t groups) const {
    const int64_t n = before.n_rows / groups, m = static_cast<int64_t>(wanted_.size());
    const View v = c_.scratch.view(groups * m, before.n_cols);
    for (int64_t g = 0; g < groups; g++)
        for (int64_t i = 0; i < m; i++) memcpy(v.f32(g * m + i), before.f32(g * n + wanted_[i]), before.n_cols * sizeof(float));
    return v;
}

View embed_rows(Context& c, const Config& config, const Weights& weights, const Batch& batch) {
    const View& table = weights.embed_tokens;
    const View e = c.scratch.view(static_cast<int64_t>(batch.rows.size()), config.hidden);
    const float scale = std::sqrt(static_cast<float>(config.hidden));
    c.each_row(e.n_rows, [&](int64_t r) {
        const Row& row = batch.rows[r];
        if (row.embedding) {
            memcpy(e.f32(r), row.embedding, config.hidden * sizeof(float));
            return;
        }
        c.k.to_f32[static_cast<int>(table.type)](table.raw(row.id), config.hidden, e.f32(r));
        c.k.scale(e.f32(r), config.hidden, scale);
    });
    return e;
}

Status read_rows(Context& c, const RowTable& table, const std::vector<int64_t>& rows, int64_t first_col, View out) {
    const Arena::Scope scope(c.scratch);
    const int64_t block = info(table.type).block;
    const int64_t begin_col = first_col / block * block;                                         // what whole blocks allow
    const int64_t end_col = (first_col + out.n_cols + block - 1) / block * block;
    const uint64_t n_bytes = row_bytes(table.type, end_col - begin_col);
    const View raw = c.scratch.view(c.pool.n_threads(), static_cast<int64_t>(n_bytes / 4 + 1));
    const View values = c.scratch.view(c.pool.n_threads(), end_col - begin_col);
    std::mutex mutex;
    Status status;
    c.pool.split(out.n_rows, 1, [&](int64_t begin, int64_t end, int worker) {
        for (int64_t r = begin; r < end; r++) {
            const uint64_t at = table.offset + static_cast<uint64_t>(rows[r]) * table.stride + row_bytes(table.type, begin_col);
            if (Status read = table.file->read(at, {raw.raw(worker), n_bytes}); !read) {
                const std::lock_guard lock(mutex);
                status = read;
                return;
            }
            c.k.to_f32[static_cast<int>(table.type)](raw.raw(worker), end_col - begin_col, values.f32(worker));
            memcpy(out.f32(r), values.f32(worker) + (first_col - begin_col), out.n_cols * sizeof(float));
        }
    });
    return status;
}

ops::AttentionShape attention_shape(const Config& config, int layer) {
    return {config.n_heads, config.n_kv_heads, config.head_dim, config.layers[layer].sliding ? config.window : 0, config.attention_scale};
}

void put(const ForwardOptions& o, const std::string& name, std::vector<int64_t> shape, const View& v) {
    if (o.tap && o.tap->wants(name)) o.tap->tensor(name, std::move(shape), v);
}

}  // namespace gemma3n::model
