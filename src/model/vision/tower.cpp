#include "model/vision/tower.h"

#include "model/vision/block.h"
#include "model/vision/fusion.h"
#include "ops/convolution.h"
#include "ops/linear.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gemma3n::model {

using ops::Map;
using vision::Block;

namespace {

constexpr int64_t max_stages = 8, max_blocks = 4096;
constexpr int64_t max_side = 4096;  // of a picture: attention's work grows with its fourth power
constexpr int64_t max_tokens = 1 << 16;
constexpr ops::Window stem_window{3, 2};

}  // namespace

struct VisionTower::Impl {
    OwnedVectors owned;
    vision::Kernel stem;                                     // [channels, 27]
    View stem_bias, stem_norm;                               // [channels]
    std::vector<std::vector<std::unique_ptr<Block>>> stages;
    vision::Fusion fusion;
    float eps = 0;

    Status bind(const format::Checkpoint& checkpoint, const VisionConfig& config);
    void run_stem(Context& c, std::span<const float> pixels, int64_t side, const Map& out) const;
    Map run_stage(Context& c, size_t stage, Map in, View& spare, View& mine, const Tapped& tapped) const;
    int64_t largest_map(int64_t side) const;
};

VisionTower::VisionTower() : impl_(std::make_unique<Impl>()) {}
VisionTower::~VisionTower() = default;

Result<std::unique_ptr<VisionTower>> VisionTower::bind(const format::Checkpoint& checkpoint, const VisionConfig& config) {
    std::unique_ptr<VisionTower> tower(new VisionTower());
    TRY(tower->impl_->bind(checkpoint, config));
    return tower;
}

Status VisionTower::Impl::bind(const format::Checkpoint& checkpoint, const VisionConfig& config) {
    Tensors tensors(checkpoint, owned);
    vision::Parts parts(tensors, "vision_tower.timm_model.");
    eps = config.eps;
    const int64_t fusion_side = std::lround(std::sqrt(static_cast<double>(std::clamp<int64_t>(config.n_tokens, 0, max_tokens))));
    if (config.n_tokens < 1 || fusion_side * fusion_side != config.n_tokens) {
        return fail(Code::bad_file, "%s: a picture is said to have %lld soft tokens: expected a square number up to %lld", parts.path().c_str(), static_cast<long long>(config.n_tokens),
                    static_cast<long long>(max_tokens));
    }
    ASSIGN(stem, parts.full("conv_stem.conv.weight", 3));
    if (stem.size != stem_window.kernel) return parts.wrong("conv_stem.conv.weight", text("has a kernel of %lld pixels a side: expected 3", static_cast<long long>(stem.size)));
    int64_t channels = stem.weights.n_rows;
    if (!parts.has("conv_stem.conv.bias")) {
        return fail(Code::bad_file, "%s: tensor 'conv_stem.conv.bias' is missing: expected a checkpoint of July 2025 or later, the first upload's vision tower was faulty",
                    parts.path().c_str());
    }
    ASSIGN(stem_bias, parts.vector("conv_stem.conv.bias", channels));
    ASSIGN(stem_norm, parts.vector("conv_stem.bn.weight", channels));

    const auto block_exists = [&](const std::string& name) {
        return parts.has(name + ".conv_exp.weight") || parts.has(name + ".pw_exp.conv.weight") || parts.has(name + ".attn.query.proj.weight");
    };
    for (int64_t s = 0; s < max_stages && block_exists("blocks." + std::to_string(s) + ".0"); s++) {
        auto& stage = stages.emplace_back();
        for (int64_t i = 0; i < max_blocks; i++) {
            const std::string name = "blocks." + std::to_string(s) + "." + std::to_string(i);
            if (!block_exists(name)) break;
            ASSIGN(std::unique_ptr<Block> block, vision::bind_block(parts, name, channels, i == 0 ? 2 : 1, eps));
            channels = block->outputs();
            stage.push_back(std::move(block));
        }
    }
    if (stages.size() < 2) return fail(Code::bad_file, "%s: the vision tower has %zu stages of blocks: expected at least 2", parts.path().c_str(), stages.size());
    ASSIGN(fusion, vision::Fusion::bind(parts, stages[stages.size() - 2].back()->outputs(), channels, fusion_side, eps));
    return parts.all_used(checkpoint);
}

int64_t VisionTower::width() const { return impl_->fusion.outputs(); }
int64_t VisionTower::n_tokens() const { return impl_->fusion.side() * impl_->fusion.side(); }
int64_t VisionTower::side_multiple() const { return int64_t{2} << impl_->stages.size(); }

static int64_t stem_band(const vision::Kernel& stem, int64_t height, int64_t width) {
    return std::clamp<int64_t>(vision::band_values / (width * stem.weights.n_cols), 1, height);
}

// norm and GELU of the convolution of the pixels, brought to channels last.
void VisionTower::Impl::run_stem(Context& c, std::span<const float> pixels, int64_t side, const Map& out) const {
    const Arena::Scope scope(c.scratch);
    const Map picture{c.scratch.view(side * side, 3), side, side};
    c.each_row(side, [&](int64_t y) {
        for (int64_t x = 0; x < side; x++)
            for (int64_t ch = 0; ch < 3; ch++) picture.row(y)[x * 3 + ch] = pixels[static_cast<size_t>((ch * side + y) * side + x)];
    });
    const int64_t band = stem_band(stem, out.height, out.width);
    const View gathered = c.scratch.view(band * out.width, stem.weights.n_cols);
    for (int64_t y = 0; y < out.height; y += band) {
        const int64_t n = std::min(band, out.height - y);
        const View p = gathered.rows(0, n * out.width), x = out.rows(y, n);
        ops::patches(c, picture, stem_window, y, n, p);
        ops::linear(c, p, stem.weights, x);
        c.each_row(x.n_rows, [&](int64_t i) {
            c.k.add(x.f32(i), stem_bias.f32(), x.n_cols);
            c.k.rms_norm(x.f32(i), stem_norm.f32(), x.n_cols, eps, x.f32(i));
            c.k.gelu(x.f32(i), x.n_cols);
        });
    }
}

// The first pixels * channels values of `memory` as a map.
static Map map_in(const View& memory, int64_t height, int64_t width, int64_t channels) {
    View v = memory;
    v.n_rows = height * width;
    v.n_cols = channels;
    v.stride = static_cast<uint64_t>(channels) * sizeof(float);
    return {v, height, width};
}

// `in` lies in `mine`; each block writes to `spare`, and the two change names.
Map VisionTower::Impl::run_stage(Context& c, size_t stage, Map in, View& spare, View& mine, const Tapped& tapped) const {
    const Tapped stage_tap = tapped.in("blocks." + std::to_string(stage));
    for (size_t i = 0; i < stages[stage].size(); i++) {
        const Block& block = *stages[stage][i];
        const ops::Window window{1, block.stride()};
        const Map out = map_in(spare, window.outputs(in.height), window.outputs(in.width), block.outputs());
        const Tapped block_tap = stage_tap.in(std::to_string(i));
        block.run(c, in, out, block_tap);
        block_tap.see(out);
        std::swap(spare, mine);
        in = out;
    }
    stage_tap.see(in);
    return in;
}

int64_t VisionTower::Impl::largest_map(int64_t side) const {
    side = stem_window.outputs(side);
    int64_t most = side * side * stem.weights.n_rows;
    for (const auto& stage : stages) {
        for (const auto& block : stage) {
            side = ops::Window{1, block->stride()}.outputs(side);
            most = std::max(most, side * side * block->outputs());
        }
    }
    return most;
}

Status VisionTower::check_side(int64_t side) const {
    if (side >= side_multiple() && side % side_multiple() == 0 && side <= max_side) return {};
    return fail(Code::bad_argument, "a picture of %lld pixels a side: expected a multiple of %lld up to %lld", static_cast<long long>(side), static_cast<long long>(side_multiple()),
                static_cast<long long>(max_side));
}

Status VisionTower::encode(Context& c, std::span<const float> pixels, int64_t side, View out, Tap* tap) const {
    const Impl& t = *impl_;
    TRY(check_side(side));
    if (pixels.size() != static_cast<size_t>(3 * side * side)) {
        return fail(Code::bad_argument, "a picture of %lld pixels a side has %zu values: expected %lld", static_cast<long long>(side), pixels.size(), static_cast<long long>(3 * side * side));
    }
    assert(out.n_rows == n_tokens() && out.n_cols == width());
    const PoolAwake awake(c.pool);
    const Arena::Scope scope(c.scratch);
    const Tapped tapped{tap, "vision"};
    const int64_t most = t.largest_map(side);
    View spare = c.scratch.view(1, most), mine = c.scratch.view(1, most);

    Map x = map_in(mine, stem_window.outputs(side), stem_window.outputs(side), t.stem.weights.n_rows);
    t.run_stem(c, pixels, side, x);
    tapped.in("conv_stem").see(x);
    Map fine;
    for (size_t s = 0; s < t.stages.size(); s++) {
        if (s + 1 == t.stages.size()) {  // the fusion reads what the last stage began with
            fine = {c.scratch.view(x.pixels(), x.channels()), x.height, x.width};
            memcpy(fine.values.f32(), x.values.f32(), static_cast<size_t>(x.pixels() * x.channels()) * sizeof(float));
        }
        x = t.run_stage(c, s, x, spare, mine, tapped);
    }
    t.fusion.run(c, fine, x, out, tapped.in("msfa"));
    const float scale = std::sqrt(static_cast<float>(width()));
    c.each_row(out.n_rows, [&](int64_t r) { c.k.scale(out.f32(r), out.n_cols, scale); });
    return {};
}

uint64_t VisionTower::owned_bytes() const { return impl_->owned.bytes(); }

uint64_t VisionTower::scratch_bytes(int64_t side, int n_threads, bool exact) const {
    const Impl& t = *impl_;
    ScratchPlan p(n_threads, exact);
    const int64_t most = t.largest_map(side);
    for (int i = 0; i < 2; i++) p.view(1, most);
    int64_t at = stem_window.outputs(side);
    {
        const ScratchPlan::Scope scope(p);
        p.view(side * side, 3);
        const int64_t pixels = stem_band(t.stem, at, at) * at;
        p.view(pixels, t.stem.weights.n_cols);
        ops::plan_linear(p, pixels, t.stem.weights.n_cols, t.stem.weights.type);
    }
    int64_t fine = at;
    for (size_t s = 0; s < t.stages.size(); s++) {
        if (s + 1 == t.stages.size()) {
            fine = at;
            p.view(at * at, t.stages[s - 1].back()->outputs());
        }
        for (const auto& block : t.stages[s]) {
            block->plan(p, at, at);
            at = ops::Window{1, block->stride()}.outputs(at);
        }
    }
    t.fusion.plan(p, fine, fine);
    return p.peak();
}

double VisionTower::multiplications(int64_t side) const {
    const Impl& t = *impl_;
    side = stem_window.outputs(side);
    double n = static_cast<double>(side) * side * t.stem.weights.n_rows * t.stem.weights.n_cols;
    int64_t fine = side;
    for (const auto& stage : t.stages) {
        fine = side;
        for (const auto& block : stage) {
            n += block->multiplications(side, side);
            side = ops::Window{1, block->stride()}.outputs(side);
        }
    }
    return n + t.fusion.multiplications(fine, fine);
}

}  // namespace gemma3n::model
