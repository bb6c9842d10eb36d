#include "model/vision/attention_block.h"

#include "ops/convolution.h"
#include "ops/linear.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::model::vision {

Result<AttentionBlock::Side> AttentionBlock::bind_side(Parts& parts, const std::string& name, int64_t inputs) {
    Side s;
    if (parts.has(name + ".down_conv.weight")) {
        ASSIGN(s.down_conv, parts.depthwise(name + ".down_conv.weight", inputs));
        ASSIGN(s.norm, parts.vector(name + ".norm.weight", inputs));
    }
    ASSIGN(s.proj, parts.pointwise(name + ".proj.weight", inputs));
    return s;
}

Result<AttentionBlock> AttentionBlock::bind(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps) {
    AttentionBlock b;
    b.eps_ = eps;
    if (stride > 1) return parts.wrong(name + ".attn.query.proj.weight", "opens a stage: expected a block that halves the map there");
    ASSIGN(b.norm_, parts.vector(name + ".norm.weight", inputs));
    ASSIGN(b.query_, parts.pointwise(name + ".attn.query.proj.weight", inputs));
    ASSIGN(b.key_, bind_side(parts, name + ".attn.key", inputs));
    ASSIGN(b.value_, bind_side(parts, name + ".attn.value", inputs));
    const int64_t d = b.key_.proj.n_rows;
    if (b.query_.n_rows % d) {
        return parts.wrong(name + ".attn.query.proj.weight", text("has %lld rows: expected a multiple of the key's %lld", static_cast<long long>(b.query_.n_rows), static_cast<long long>(d)));
    }
    if (b.value_.proj.n_rows != d) {
        return parts.wrong(name + ".attn.value.proj.weight", text("has %lld rows: expected the key's %lld", static_cast<long long>(b.value_.proj.n_rows), static_cast<long long>(d)));
    }
    if (static_cast<bool>(b.key_.down_conv.weights) != static_cast<bool>(b.value_.down_conv.weights)) {
        return parts.wrong(name + ".attn.value.proj.weight", "has other keys than values: expected down_conv for both or for none");
    }
    ASSIGN(b.output_, parts.pointwise(name + ".attn.output.proj.weight", b.query_.n_rows));
    if (parts.has(name + ".layer_scale.gamma")) {
        ASSIGN(b.layer_scale_, parts.vector(name + ".layer_scale.gamma", b.outputs()));
    }
    b.skip_ = inputs == b.outputs();
    return b;
}

ops::Map AttentionBlock::project(Context& c, const Side& side, const ops::Map& normed) const {
    ops::Map out{c.scratch.view(side.window().outputs(normed.height) * side.window().outputs(normed.width), side.proj.n_rows),
                 side.window().outputs(normed.height), side.window().outputs(normed.width)};
    const Arena::Scope scope(c.scratch);
    View x = normed.values;
    if (side.down_conv.weights) {
        x = c.scratch.view(out.pixels(), normed.channels());
        ops::depthwise(c, normed, side.down_conv.weights, side.window(), 0, out.height, x);
        norm(c, x, side.norm, eps_, x);
    }
    ops::linear(c, x, side.proj, out.values);
    return out;
}

// Queries that meet all keys together.
static int64_t tile_queries(int64_t n_keys, int64_t n_queries, int n_threads) {
    constexpr int64_t tile_scores = 3 << 15;  // 384 KiB
    return std::clamp<int64_t>(std::min(tile_scores / n_keys, n_queries / n_threads) / 12 * 12, 12, n_queries);
}

// q [pixels, heads * d] is overwritten with the heads' results. All heads share the keys, so that q is a list of [pixels * heads] queries of d
// values; a tile of them meets all keys while its scores stay in the second-level cache. Keys, and values turned around, are the "weights"
// of two products.
void AttentionBlock::attend(Context& c, View q, View keys, View values) const {
    const int64_t d = keys.n_cols, n_keys = keys.n_rows, n_queries = q.n_rows * q.n_cols / d;
    const int64_t tile = tile_queries(n_keys, n_queries, c.pool.n_threads());
    const int64_t n_tiles = (n_queries + tile - 1) / tile;

    const Arena::Scope scope(c.scratch);
    const View turned = c.scratch.view(d, n_keys), scores = c.scratch.view(c.pool.n_threads() * tile, n_keys);
    const uint64_t product_bytes = kernels::matmul_scratch_bytes(std::max(d, n_keys));
    std::byte* product_scratch = c.scratch.bytes(product_bytes * c.pool.n_threads());
    c.each_row(d, [&](int64_t i) {
        for (int64_t j = 0; j < n_keys; j++) turned.f32(i)[j] = values.f32(j)[i];
    });
    c.each_row(n_keys, [&](int64_t j) { c.k.scale(keys.f32(j), d, 1.0f / std::sqrt(static_cast<float>(d))); });
    const kernels::Weights k{keys.raw(), keys.stride, DType::f32, n_keys, d}, v{turned.raw(), turned.stride, DType::f32, d, n_keys};
    c.pool.split(n_tiles, 1, [&](int64_t begin, int64_t end, int worker) {
        float* s = scores.f32(worker * tile);
        std::byte* scratch = product_scratch + product_bytes * worker;
        for (int64_t t = begin; t < end; t++) {
            const int64_t n = std::min(tile, n_queries - t * tile);
            float* x = q.f32() + t * tile * d;
            c.k.matmul_f32(k, x, d, n, s, n_keys, scratch);
            for (int64_t i = 0; i < n; i++) c.k.softmax(s + i * n_keys, n_keys);
            c.k.matmul_f32(v, s, n_keys, n, x, d, scratch);
        }
    });
}

void AttentionBlock::run(Context& c, const ops::Map& in, const ops::Map& out, const Tapped& tapped) const {
    const Arena::Scope scope(c.scratch);
    const ops::Map normed{c.scratch.view(in.pixels(), in.channels()), in.height, in.width};
    norm(c, in.values, norm_, eps_, normed.values);
    tapped.in("norm").see(normed);
    const ops::Map keys = project(c, key_, normed), values = project(c, value_, normed);
    tapped.in("attn.key").see(keys);
    const View q = c.scratch.view(in.pixels(), query_.n_rows);
    ops::linear(c, normed.values, query_, q);
    attend(c, q, keys.values, values.values);
    ops::linear(c, q, output_, out.values);
    tapped.in("attn").see(out);
    c.each_row(out.pixels(), [&](int64_t p) {
        float* y = out.values.f32(p);
        if (layer_scale_) c.k.multiply(y, layer_scale_.f32(), out.channels(), y);
        if (skip_) c.k.add(y, in.values.f32(p), out.channels());
    });
}

void AttentionBlock::plan_side(ScratchPlan& p, const Side& side, int64_t height, int64_t width) const {
    const int64_t n = side.window().outputs(height) * side.window().outputs(width);
    p.view(n, side.proj.n_rows);
    const ScratchPlan::Scope scope(p);
    if (side.down_conv.weights) p.view(n, side.proj.n_cols);
    ops::plan_linear(p, n, side.proj.n_cols, side.proj.type);
}

void AttentionBlock::plan(ScratchPlan& p, int64_t height, int64_t width) const {
    const ScratchPlan::Scope scope(p);
    const int64_t pixels = height * width, d = key_.proj.n_rows, n_queries = pixels * query_.n_rows / d;
    const int64_t n_keys = key_.window().outputs(height) * key_.window().outputs(width);
    p.view(pixels, query_.n_cols);
    plan_side(p, key_, height, width);
    plan_side(p, value_, height, width);
    p.view(pixels, query_.n_rows);
    ops::plan_linear(p, pixels, query_.n_cols, query_.type);
    {
        const ScratchPlan::Scope attending(p);
        p.view(d, n_keys);
        p.view(p.n_threads * tile_queries(n_keys, n_queries, p.n_threads), n_keys);
        p.bytes(kernels::matmul_scratch_bytes(std::max(d, n_keys)) * static_cast<uint64_t>(p.n_threads));
    }
    ops::plan_linear(p, pixels, output_.n_cols, output_.type);
}

double AttentionBlock::multiplications(int64_t height, int64_t width) const {
    const auto of = [](const View& v) { return static_cast<double>(v.n_rows) * v.n_cols; };
    const double pixels = static_cast<double>(height) * width, n_keys = static_cast<double>(key_.window().outputs(height)) * key_.window().outputs(width);
    double n = pixels * (of(query_) + of(output_)) + n_keys * (of(key_.proj) + of(value_.proj)) + 2 * pixels * n_keys * query_.n_rows;
    if (key_.down_conv.weights) n += n_keys * (of(key_.down_conv.weights) + of(value_.down_conv.weights));
    return n;
}

}  // namespace gemma3n::model::vision
