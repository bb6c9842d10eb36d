// Types by tensor name, from a file of lines "REGEX TYPE". The first line whose expression is found in a GGUF tensor name decides.
#pragma once

#include "base/result.h"
#include "tensor/dtype.h"

#include <regex>
#include <string>
#include <vector>

namespace gemma3n::quant {

struct Rule {
    int line;
    std::string expression;
    std::regex regex;
    DType type;
    bool used = false;
};

// Blank lines and lines that begin with '#' say nothing. Every other one is checked here.
Result<std::vector<Rule>> parse_rules(const std::string& text, const std::string& path);

// The first rule for this name, marked as used; null if there is none.
Rule* matching(std::vector<Rule>& rules, const std::string& gguf_name);

}  // namespace gemma3n::quant
