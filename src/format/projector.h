// Projector files: a GGUF with the vision and audio towers of a model whose text network lies in another GGUF beside it ("mmproj-*.gguf",
// architecture clip).
#pragma once

#include "format/checkpoint.h"

#include <string>

namespace gemma3n::format {

bool is_projector(const Checkpoint& checkpoint);

// OK if its towers are Gemma 3n's (projector types gemma3nv and gemma3na, either may be absent), else the sentence that says whose they are.
Status check_projector(const Checkpoint& checkpoint);

// The projector file beside a GGUF file, in the directory of the path as it is given (in the hub's cache a path is a link to a file that
// lies elsewhere, under another name); empty if there is none. Projectors of other models do not count. Of several, the one with the
// model's own name ("mmproj-gemma-3n-E2B-it-F16.gguf" beside "gemma-3n-E2B-it-Q4_K_M.gguf") or else with none ("mmproj-F16.gguf"); of
// those the F16, then the BF16 one. More than one choice left is an error that names them: nobody needs to hear it before there is a
// picture or a sound.
Result<std::string> find_projector(const std::string& model_path);

// Where the projector file of a model that is written to `model_path` goes: "mmproj-" before its name.
std::string projector_path(const std::string& model_path);

}  // namespace gemma3n::format
