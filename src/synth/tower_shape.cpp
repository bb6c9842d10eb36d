#include "synth/tower_shape.h"

#include <array>

namespace gemma3n::synth {

namespace {

using B = VisionBlock;

constexpr B edge(int64_t out, int64_t middle, int64_t stride) { return {BlockKind::edge_residual, out, middle, 0, 0, stride, 0, 0, 0}; }
constexpr B bottleneck(int64_t out, int64_t middle, int64_t dw_start, int64_t dw_mid, int64_t stride) { return {BlockKind::inverted_bottleneck, out, middle, dw_start, dw_mid, stride, 0, 0, 0}; }
constexpr B attention(int64_t out, int64_t heads, int64_t head_dim, int64_t kv_stride) { return {BlockKind::attention, out, 0, 0, 0, 1, heads, head_dim, kv_stride}; }

// `first`, then `plain` blocks, then pairs of attention and bottleneck.
template <size_t n_plain, size_t n_pairs>
constexpr auto stage(const std::array<B, n_plain>& first, const B& a, const B& b) {
    std::array<B, n_plain + 2 * n_pairs> all{};
    for (size_t i = 0; i < n_plain; i++) all[i] = first[i];
    for (size_t i = 0; i < n_pairs; i++) all[n_plain + 2 * i] = a, all[n_plain + 2 * i + 1] = b;
    return all;
}

constexpr B plain = bottleneck(640, 2560, 5, 0, 1);
constexpr std::array stage0{edge(128, 256, 2), edge(128, 512, 1), edge(128, 512, 1)};
constexpr std::array stage1{bottleneck(256, 768, 3, 5, 2), bottleneck(256, 1024, 5, 0, 1), bottleneck(256, 1024, 3, 0, 1), bottleneck(256, 1024, 5, 0, 1), bottleneck(256, 1024, 3, 0, 1)};
constexpr auto stage2 = stage<9, 14>({bottleneck(640, 1536, 5, 5, 2), plain, plain, plain, plain, plain, plain, plain, bottleneck(640, 640, 0, 0, 1)}, attention(640, 12, 64, 2),
                                     bottleneck(640, 1280, 0, 0, 1));
constexpr auto stage3 = stage<1, 19>({bottleneck(1280, 3840, 5, 5, 2)}, attention(1280, 16, 96, 1), bottleneck(1280, 2560, 0, 0, 1));

// Channels are multiples of 32, so that blocks of 32 fit the matrices.
constexpr std::array tiny0{edge(32, 64, 2), edge(32, 128, 1)};
constexpr std::array tiny1{bottleneck(32, 192, 3, 5, 2), bottleneck(32, 128, 5, 0, 1)};
constexpr std::array tiny2{bottleneck(64, 192, 5, 5, 2), bottleneck(64, 64, 0, 0, 1), attention(64, 4, 16, 2), bottleneck(64, 128, 0, 0, 1)};
constexpr std::array tiny3{bottleneck(96, 384, 5, 5, 2), attention(96, 4, 32, 1), bottleneck(96, 192, 0, 0, 1)};

}  // namespace

const VisionShape published_vision{.stem = 64, .stages = {stage0, stage1, stage2, stage3}, .width = 2048, .fusion = 3840, .side = 768, .soft_tokens = 256, .published = true};
// The fusion's width and side are those of timm's class, which cannot be told others.
const VisionShape tiny_vision{.stem = 16, .stages = {tiny0, tiny1, tiny2, tiny3}, .width = 2048, .fusion = 320, .side = 256, .soft_tokens = 256, .published = false};

const AudioShape published_audio{.width = 1536, .n_layers = 12, .n_heads = 8, .channels = {128, 32}, .soft_tokens = 188, .reduction = 4};
const AudioShape tiny_audio{.width = 128, .n_layers = 2, .n_heads = 4, .channels = {32, 16}, .soft_tokens = 188, .reduction = 4};

}  // namespace gemma3n::synth
