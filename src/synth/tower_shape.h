// The shapes of the towers that can be synthesised: the published vision and audio encoders, and small ones with every kind of block.
#pragma once

#include <cstdint>
#include <span>

namespace gemma3n::synth {

enum class BlockKind { edge_residual, inverted_bottleneck, attention };

// One block, or several alike. Convolutions of 0 are absent.
struct VisionBlock {
    BlockKind kind;
    int64_t out, middle;             // channels; `middle` after the expansion
    int64_t dw_start, dw_mid;        // depthwise kernels of an inverted bottleneck
    int64_t stride;
    int64_t heads, head_dim, kv_stride;
};

struct VisionShape {
    int64_t stem;
    std::span<const VisionBlock> stages[4];
    int64_t width, fusion;           // of the fusion's output, and between its two convolutions
    int64_t side, soft_tokens;
    bool published;                  // timm builds it by its name, without a list of blocks
};

struct AudioShape {
    int64_t width, n_layers, n_heads;
    int64_t channels[2];             // of the two sub-sampling convolutions
    int64_t soft_tokens, reduction;
};

extern const VisionShape published_vision, tiny_vision;
extern const AudioShape published_audio, tiny_audio;

}  // namespace gemma3n::synth
