// Translation of GGUF tensor names to the canonical ones, and prefixes of Hugging Face names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gemma3n::format {

// "blk.3.ffn_up.weight" -> "layers.3.mlp.up_proj.weight"; nullopt for names that are not of the text network.
std::optional<std::string> canonical_from_gguf(std::string_view name);

// The other way; nullopt for a name that no GGUF text network has. Members of a stack have the stack's name:
// "altup_projections.2.weight" -> "altup_proj.weight".
std::optional<std::string> gguf_from_canonical(std::string_view name);

// Strips "model.language_model.", "language_model.model.", "language_model.", "model." ; names of towers and embedders keep
// their first word ("vision_tower.", "embed_audio.").
std::string canonical_from_hf(std::string_view name);

// True for tensors of the vision and audio parts.
bool is_tower(std::string_view canonical_name);

}  // namespace gemma3n::format
