// Names of the vision and audio tensors in a GGUF projector file (mmproj, architecture clip), to the canonical ones and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gemma3n::format {

// "a.blk.3.ffn_up.weight" -> "audio_tower.conformer.3.ffw_layer_start.ffw_layer_1.weight"; nullopt for names that no tower of Gemma 3n has.
std::optional<std::string> canonical_from_projector(std::string_view name);
// The other way.
std::optional<std::string> projector_from_canonical(std::string_view name);

}  // namespace gemma3n::format
