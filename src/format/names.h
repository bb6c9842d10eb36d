// Translation of GGUF tensor names to the canonical ones, and prefixes of Hugging Face names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gemma3n::format {

// "blk.3.ffn_up.weight" -> "layers.3.mlp.up_proj.weight"; nullopt for names that are not of the text network.
std::optional<std::string> canonical_from_gguf(std::string_view name);

// Strips "model.language_model.", "language_model.model.", "language_model.", "model." ; names of towers and embedders keep
// their first word ("vision_tower.", "embed_audio.").
std::string canonical_from_hf(std::string_view name);

// A name from a file, fit for a sentence: printable ASCII, shortened.
std::string shown(std::string_view name);

// True for tensors of the vision and audio parts.
bool is_tower(std::string_view canonical_name);

}  // namespace gemma3n::format
