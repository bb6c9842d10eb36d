// nano, the model that comes with this program: small enough to lie in the repository, so that its name needs no network and no cache.
// It is a folder, models/nano of the source tree and share/gemma3n/nano of an installed one:
//   nano-Q8_0.gguf, mmproj-nano-Q8_0.gguf   the text model, and its vision and audio
//   suite/suite.jsonl, suite/media/         the questions that it was not trained on
#pragma once

#include "hub/cache.h"

#include <string>
#include <string_view>

namespace gemma3n::hub {

inline constexpr std::string_view shipped_name = "nano", shipped_file = "nano-Q8_0.gguf";

// "nano", and what is asked of it as of a repository ("nano:Q4_0").
bool is_shipped_name(std::string_view s);

// The folder that holds it, as seen from an executable: DIR/../share/gemma3n/nano if DIR holds the executable, else models/nano in DIR or in the
// nearest folder above it. Code::not_found, and a sentence with these places, when it is in none of them.
Result<std::string> shipped_folder(const std::string& executable);
Result<std::string> shipped_folder();  // from the running one

// The path that starts it. An error where `name` asks for more than "nano".
Result<std::string> shipped_model(std::string_view name);

// As `list` shows it: its folder and all files in it.
Cached shipped(const std::string& folder);

}  // namespace gemma3n::hub
