// Names of models: e2b, ORG/REPO, ORG/REPO:QUANT, ORG/REPO:FILE.gguf. Everything that becomes part of a path is checked here.
#pragma once

#include "base/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gemma3n::hub {

struct Reference {
    std::string repo;      // "ORG/REPO"
    std::string selector;  // a quantisation or a .gguf file of the repository; empty: the repository's usual one
};

struct ShortName {
    const char *name, *repo, *selector, *what;
};
std::span<const ShortName> short_names();

// Does `s` have the form of a name, rather than that of a path? It says nothing about whether such a repository exists.
bool looks_like_name(std::string_view s);
Result<Reference> parse_name(std::string_view s);

// Empty when `path` stays inside the folder it is put in, otherwise what is wrong with it: "has a '..' in it".
std::string unsafe_path(std::string_view path);
bool is_commit(std::string_view s);  // 40 hexadecimal digits

}  // namespace gemma3n::hub
