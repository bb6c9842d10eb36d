#include "model/vision/fusion.h"

#include <algorithm>
#include <cstring>

namespace gemma3n::model::vision {

Result<Fusion> Fusion::bind(Parts& parts, int64_t fine, int64_t coarse, int64_t side, float eps) {
    Fusion f;
    ASSIGN(InvertedResidual ffn, InvertedResidual::bind(parts, "msfa.ffn", fine + coarse, 1, eps, false));
    f.ffn_ = std::make_unique<InvertedResidual>(std::move(ffn));
    ASSIGN(f.norm_, parts.vector("msfa.norm.weight", f.outputs()));
    f.side_ = side;
    f.eps_ = eps;
    return f;
}

namespace {

// Nearest: pixel i of n comes from floor(i * from / n).
void concatenate(Context& c, const ops::Map& fine, const ops::Map& coarse, View out) {
    c.each_row(fine.height, [&](int64_t y) {
        const float* below = coarse.row(y * coarse.height / fine.height);
        for (int64_t x = 0; x < fine.width; x++) {
            float* to = out.f32(y * fine.width + x);
            memcpy(to, fine.row(y) + x * fine.channels(), static_cast<size_t>(fine.channels()) * sizeof(float));
            memcpy(to + fine.channels(), below + x * coarse.width / fine.width * coarse.channels(), static_cast<size_t>(coarse.channels()) * sizeof(float));
        }
    });
}

// Means of squares of (height / side)^2 pixels.
void average(Context& c, const ops::Map& map, int64_t side, View out) {
    const int64_t n = map.height / side, channels = map.channels();
    c.each_row(side * side, [&](int64_t i) {
        float* to = out.f32(i);
        std::fill(to, to + channels, 0.0f);
        for (int64_t y = 0; y < n; y++)
            for (int64_t x = 0; x < n; x++) c.k.add(to, map.row(i / side * n + y) + (i % side * n + x) * channels, channels);
        c.k.scale(to, channels, 1.0f / static_cast<float>(n * n));
    });
}

struct Between {  // of two pixels, and the second's share
    int64_t low, high;
    float share;
};

// Half-pixel centres, no antialias.
Between between(int64_t i, int64_t from, int64_t to) {
    const float at = std::max((static_cast<float>(i) + 0.5f) * static_cast<float>(from) / static_cast<float>(to) - 0.5f, 0.0f);
    const int64_t low = std::min(static_cast<int64_t>(at), from - 1);
    return {low, std::min(low + 1, from - 1), at - static_cast<float>(low)};
}

void bilinear(Context& c, const ops::Map& map, int64_t side, View out) {
    const int64_t channels = map.channels();
    c.each_row(side * side, [&](int64_t i) {
        const Between y = between(i / side, map.height, side), x = between(i % side, map.width, side);
        float* to = out.f32(i);
        std::fill(to, to + channels, 0.0f);
        const auto add = [&](int64_t row, int64_t column, float share) { c.k.add_scaled(to, map.row(row) + column * channels, channels, share); };
        add(y.low, x.low, (1 - y.share) * (1 - x.share));
        add(y.low, x.high, (1 - y.share) * x.share);
        add(y.high, x.low, y.share * (1 - x.share));
        add(y.high, x.high, y.share * x.share);
    });
}

}  // namespace

void Fusion::run(Context& c, const ops::Map& fine, const ops::Map& coarse, View out, const Tapped& tapped) const {
    const Arena::Scope scope(c.scratch);
    const ops::Map fused{c.scratch.view(fine.pixels(), outputs()), fine.height, fine.width};
    {
        const Arena::Scope joined_scope(c.scratch);
        const ops::Map joined{c.scratch.view(fine.pixels(), fine.channels() + coarse.channels()), fine.height, fine.width};
        concatenate(c, fine, coarse, joined.values);
        ffn_->run(c, joined, fused, tapped);
    }
    tapped.in("ffn").see(fused);
    (fused.height % side_ ? bilinear : average)(c, fused, side_, out);
    norm(c, out, norm_, eps_, out);
    tapped.see(ops::Map{out, side_, side_});
}

void Fusion::plan(ScratchPlan& p, int64_t height, int64_t width) const {
    const ScratchPlan::Scope scope(p);
    p.view(height * width, outputs());
    p.view(height * width, ffn_->inputs());
    ffn_->plan(p, height, width);
}

}  // namespace gemma3n::model::vision
