#include "model/vision/block.h"

#include "model/vision/attention_block.h"
#include "model/vision/edge_residual.h"
#include "model/vision/inverted_residual.h"

namespace gemma3n::model::vision {

Result<std::unique_ptr<Block>> bind_block(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps) {
    const auto boxed = [](auto block) -> Result<std::unique_ptr<Block>> {
        if (!block) return block.error();
        return std::unique_ptr<Block>(std::make_unique<std::remove_reference_t<decltype(*block)>>(std::move(*block)));
    };
    if (parts.has(name + ".conv_exp.weight")) return boxed(EdgeResidual::bind(parts, name, inputs, stride, eps));
    if (parts.has(name + ".attn.query.proj.weight")) return boxed(AttentionBlock::bind(parts, name, inputs, stride, eps));
    return boxed(InvertedResidual::bind(parts, name, inputs, stride, eps));
}

void norm(Context& c, View x, View weight, float eps, View out) {
    c.each_row(x.n_rows, [&](int64_t p) { c.k.rms_norm(x.f32(p), weight.f32(), x.n_cols, eps, out.f32(p)); });
}

void norm_gelu(Context& c, View x, View weight, float eps) {
    c.each_row(x.n_rows, [&](int64_t p) {
        c.k.rms_norm(x.f32(p), weight.f32(), x.n_cols, eps, x.f32(p));
        c.k.gelu(x.f32(p), x.n_cols);
    });
}

}  // namespace gemma3n::model::vision
