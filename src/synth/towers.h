// The tensors of the towers and their embedders, with the scale of their random values, and what files say about them.
#pragma once

#include "format/projector_keys.h"
#include "synth/tensors.h"

#include <vector>

namespace gemma3n::synth {

// In the order of the checkpoints: vision_tower, embed_vision, audio_tower, embed_audio. None for a shape without towers.
std::vector<Tensor> tower_tensors(const Shape& shape);

format::ProjectorKeys projector_keys(const Shape& shape, format::Mix mix);

}  // namespace gemma3n::synth
