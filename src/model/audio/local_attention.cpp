#include "model/audio/local_attention.h"

#include "model/audio/clamped.h"
#include "ops/linear.h"

#include <cmath>
#include <cstring>
#include <numbers>

namespace gemma3n::model::audio {

Result<LocalAttention> LocalAttention::bind(Tensors& tensors, const std::string& prefix, const AudioConfig& config, int64_t width) {
    LocalAttention a;
    a.n_heads_ = config.n_heads;
    a.head_dim_ = width / config.n_heads;
    a.context_ = config.context_left;
    a.eps_ = config.eps;
    a.limit_ = config.gradient_clipping;
    a.cap_ = config.logit_cap;
    ASSIGN(a.pre_attn_norm_, tensors.vector(prefix + "pre_attn_norm.weight", width));
    ASSIGN(a.q_proj_, tensors.matrix(prefix + "attn.q_proj.weight", width, width));
    ASSIGN(a.k_proj_, tensors.matrix(prefix + "attn.k_proj.weight", width, width));
    ASSIGN(a.v_proj_, tensors.matrix(prefix + "attn.v_proj.weight", width, width));
    ASSIGN(a.pos_proj_, tensors.matrix(prefix + "attn.relative_position_embedding.pos_proj.weight", width, width));
    ASSIGN(a.post_, tensors.matrix(prefix + "post.weight", width, width));
    ASSIGN(a.post_norm_, tensors.vector(prefix + "post_norm.weight", width));
    // softplus, so divided that a stored 0 leaves 1 / sqrt(head_dim)
    ASSIGN(const View stored, tensors.vector(prefix + "attn.per_dim_scale", a.head_dim_));
    const double scale = 1 / std::sqrt(static_cast<double>(a.head_dim_)) / std::numbers::ln2;
    std::vector<float> all(static_cast<size_t>(width));
    for (int64_t i = 0; i < width; i++) {
        const double z = stored.f32()[i % a.head_dim_];
        all[i] = static_cast<float>(scale * (std::max(z, 0.0) + std::log1p(std::exp(-std::fabs(z)))));
    }
    a.q_scale_ = tensors.own(std::move(all));
    return a;
}

std::vector<float> LocalAttention::relative(Context& c) const {
    const int64_t width = q_scale_.n_cols, half = width / 2;
    const Arena::Scope scope(c.scratch);
    const View waves = c.scratch.view(context_, width), out = c.scratch.view(context_, width);  // all sines, then all cosines
    const double step = std::log(10000.0) / static_cast<double>(std::max<int64_t>(half - 1, 1));
    for (int64_t j = 0; j < half; j++) {
        const float frequency = static_cast<float>(std::exp(-static_cast<double>(j) * step));
        for (int64_t p = 0; p < context_; p++) {
            const float angle = static_cast<float>(p) * frequency;
            waves.f32(p)[j] = std::sin(angle);
            waves.f32(p)[half + j] = std::cos(angle);
        }
    }
    Context exact{c.k, c.pool, c.scratch, true, c.inputs};
    ops::linear(exact, waves, pos_proj_, out, ops::Order::steady);
    return {out.f32(), out.f32() + context_ * width};
}

// One query over its n_keys keys, the oldest first. scores [2 * context].
void LocalAttention::attend(Context& c, int64_t n_keys, float* q, const float* keys, const float* values, const std::vector<float>& relative, float* scores, float* out) const {
    const int64_t width = q_scale_.n_cols;
    float *s = scores, *distant = scores + context_;
    c.k.multiply(q, q_scale_.f32(), width, q);
    memset(out, 0, static_cast<size_t>(width) * sizeof(float));
    for (int64_t h = 0; h < n_heads_; h++) {
        const int64_t at = h * head_dim_;
        const auto bytes = [at](const float* p) { return reinterpret_cast<const std::byte*>(p + at); };
        c.k.scores(q + at, width, 1, bytes(keys), DType::f32, width, static_cast<int>(n_keys), head_dim_, s, n_keys);
        c.k.scores(q + at, width, 1, bytes(relative.data()), DType::f32, width, static_cast<int>(n_keys), head_dim_, distant, n_keys);
        for (int64_t j = 0; j < n_keys; j++) s[j] += distant[n_keys - 1 - j];
        c.k.softcap(s, n_keys, cap_);
        c.k.softmax(s, n_keys);
        c.k.values(s, n_keys, 1, bytes(values), DType::f32, width, static_cast<int>(n_keys), head_dim_, out + at, width);
    }
}

void LocalAttention::run(Context& c, View x, const std::vector<float>& relative, State& s) const {
    const Arena::Scope scope(c.scratch);
    const int64_t n = x.n_rows, width = x.n_cols, n_past = s.n_past;
    const View h = c.scratch.view(n, width), q = c.scratch.view(n, width), scores = c.scratch.view(n, 2 * context_);
    const View keys = c.scratch.view(n_past + n, width), values = c.scratch.view(n_past + n, width);  // those before, then those of x
    const auto row_bytes = [width](int64_t rows) { return static_cast<size_t>(rows * width) * sizeof(float); };
    c.each_row(n, [&](int64_t r) {
        clamp(x.f32(r), width, limit_, h.f32(r));
        c.k.rms_norm(h.f32(r), pre_attn_norm_.f32(), width, eps_, h.f32(r));
    });
    if (n_past > 0) {
        memcpy(keys.f32(), s.keys.data(), row_bytes(n_past));
        memcpy(values.f32(), s.values.data(), row_bytes(n_past));
    }
    {
        const Arena::Scope inner(c.scratch);
        ops::Input in(h);
        ops::linear(c, in, {{q_proj_, q}, {k_proj_, keys.rows(n_past, n)}, {v_proj_, values.rows(n_past, n)}}, ops::Order::steady);
    }
    c.each_row(n, [&](int64_t r) {
        const int64_t last = n_past + r, first = std::max<int64_t>(0, last - context_ + 1);
        attend(c, last - first + 1, q.f32(r), keys.f32(first), values.f32(first), relative, scores.f32(r), h.f32(r));
    });
    const int64_t kept = std::min(n_past + n, context_ - 1);
    s.keys.assign(keys.f32() + (n_past + n - kept) * width, keys.f32() + (n_past + n) * width);
    s.values.assign(values.f32() + (n_past + n - kept) * width, values.f32() + (n_past + n) * width);
    s.n_past = kept;

    ops::linear(c, h, post_, q, ops::Order::steady);
    c.each_row(n, [&](int64_t r) {
        clamp(q.f32(r), width, limit_, q.f32(r));
        c.k.rms_norm(q.f32(r), post_norm_.f32(), width, eps_, q.f32(r));
        c.k.add(x.f32(r), q.f32(r), width);
    });
}

void LocalAttention::plan(ScratchPlan& p, int64_t n) const {
    const ScratchPlan::Scope scope(p);
    const int64_t width = q_scale_.n_cols;
    p.view(2 * n + 2 * (context_ - 1 + n), width);  // h, q, keys, values
    p.view(n, 2 * context_);
    {
        const ScratchPlan::Scope inner(p);
        ops::PlannedInput(n, width).linear(p, {q_proj_.type, k_proj_.type, v_proj_.type});
    }
    ops::plan_linear(p, n, width, post_.type);
}

}  // namespace gemma3n::model::audio
