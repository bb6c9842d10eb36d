// Fetching a model with its progress shown, for `pull` and for `run`.
#pragma once

#include "hub/pull.h"

namespace gemma3n::cli {

Result<hub::Pulled> fetch(const hub::Settings& s, const hub::Reference& r, bool mmproj);
std::string described(const hub::Reference& r);  // "ORG/REPO:Q4_K_M"

}  // namespace gemma3n::cli
