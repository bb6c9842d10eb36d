// Names of tensors inside a layer, after the part that all layers share.
#pragma once

#include <optional>
#include <string_view>

namespace gemma3n::format {

struct Numbered {
    std::string_view number, rest;
};

// "3.mlp.up_proj.weight" -> "3", "mlp.up_proj.weight"; nullopt if it does not begin with digits and a dot.
inline std::optional<Numbered> numbered(std::string_view name) {
    const size_t dot = name.find('.');
    if (dot == 0 || dot == std::string_view::npos || name.find_first_not_of("0123456789") != dot) return std::nullopt;
    return Numbered{name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace gemma3n::format
