// A synthetic model so small that its projector file fits a fuzzer's input: one block of every kind, one conformer layer.
#pragma once

#include "synth/synth.h"

#include <array>

namespace gemma3n::fuzz {

inline synth::Shape mini_shape() {
    using synth::BlockKind;
    using synth::VisionBlock;
    static constexpr std::array stage0{VisionBlock{BlockKind::edge_residual, 4, 4, 0, 0, 2, 0, 0, 0}};
    static constexpr std::array stage1{VisionBlock{BlockKind::inverted_bottleneck, 4, 8, 3, 5, 2, 0, 0, 0}};
    static constexpr std::array stage2{VisionBlock{BlockKind::inverted_bottleneck, 8, 8, 0, 5, 2, 0, 0, 0}, VisionBlock{BlockKind::attention, 8, 0, 0, 0, 1, 2, 4, 2}};
    static constexpr std::array stage3{VisionBlock{BlockKind::inverted_bottleneck, 8, 8, 0, 3, 2, 0, 0, 0}, VisionBlock{BlockKind::attention, 8, 0, 0, 0, 1, 2, 4, 1}};
    static const synth::VisionShape vision{.stem = 4, .stages = {stage0, stage1, stage2, stage3}, .width = 8, .fusion = 8, .side = 32, .soft_tokens = 4, .published = false};
    static const synth::AudioShape audio{.width = 8, .n_layers = 1, .n_heads = 2, .channels = {2, 2}, .soft_tokens = 8, .reduction = 4};
    synth::Shape s = *synth::find_shape("tiny");
    s.hidden = 16;
    s.n_layers = 5;
    s.ff = 16;
    s.n_heads = 2, s.n_kv_heads = 1, s.head_dim = 8;
    s.per_layer_width = 4, s.laurel_rank = 4;
    s.n_shared = 0, s.n_sparse = 1;
    s.vision = &vision;
    s.audio = &audio;
    return s;
}

}  // namespace gemma3n::fuzz
