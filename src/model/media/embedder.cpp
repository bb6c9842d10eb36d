#include "model/media/embedder.h"

#include "ops/linear.h"

namespace gemma3n::model {

Result<Embedder> Embedder::bind(Tensors& t, const std::string& prefix, int64_t width, int64_t hidden, float eps) {
    Embedder e;
    e.eps_ = eps;
    ASSIGN(const format::TensorInfo* table, t.need(prefix + "embedding.weight"));
    ASSIGN(e.embedding_, t.matrix(prefix + "embedding.weight", table->rows, width));
    ASSIGN(e.hard_norm_, t.vector(prefix + "hard_embedding_norm.weight", width));
    ASSIGN(e.soft_norm_, t.vector(prefix + "soft_embedding_norm.weight", width));
    ASSIGN(e.projection_, t.matrix(prefix + "embedding_projection.weight", hidden, width));
    return e;
}

void Embedder::project(Context& c, View x, View norm, View out) const {
    c.each_row(x.n_rows, [&](int64_t r) { c.k.rms_norm(x.f32(r), norm.f32(), x.n_cols, eps_, x.f32(r)); });
    ops::linear(c, x, projection_, out);
    c.each_row(out.n_rows, [&](int64_t r) { c.k.rms_norm(out.f32(r), nullptr, out.n_cols, eps_, out.f32(r)); });
}

void Embedder::soft(Context& c, View x, View out) const { project(c, x, soft_norm_, out); }

void Embedder::hard(Context& c, std::span<const int64_t> rows, View out) const {
    const Arena::Scope scope(c.scratch);
    const View x = c.scratch.view(static_cast<int64_t>(rows.size()), embedding_.n_cols);
    const auto to_f32 = c.k.to_f32[static_cast<int>(embedding_.type)];
    for (size_t i = 0; i < rows.size(); i++) to_f32(embedding_.raw(rows[i]), embedding_.n_cols, x.f32(static_cast<int64_t>(i)));
    project(c, x, hard_norm_, out);
}

}  // namespace gemma3n::model
