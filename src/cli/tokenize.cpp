// tokenize: text to ids.
#include "cli/commands.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

namespace gemma3n::cli {

static std::string ids_json(const std::vector<int>& ids) {
    std::string s = "[";
    for (size_t i = 0; i < ids.size(); i++) s += (i ? "," : "") + std::to_string(ids[i]);
    return s + "]\n";
}

int tokenize(const TokenizeOptions& o) {
    if (!o.text && !o.file) return usage_error("no text: give TEXT or --file FILE");
    std::ifstream opened;
    if (o.file && *o.file != "-") {
        opened.open(*o.file, std::ios::binary);
        if (!opened) return report({Code::not_found, *o.file + ": cannot be opened: " + strerror(errno)});
    }
    auto engine = load(o.model);
    if (!engine) return report(engine.error());
    const gemma3n::TokenizeOptions how{!o.no_bos, o.parse_special};
    if (o.text) {
        auto ids = (*engine)->tokenize(*o.text, how);
        if (!ids) return report(ids.error());
        fputs(ids_json(*ids).c_str(), stdout);
        return exit_ok;
    }
    std::istream& in = *o.file == "-" ? std::cin : opened;
    for (std::string line; std::getline(in, line);) {  // ends at \n only; nothing else is stripped
        auto ids = line.empty() ? Result<std::vector<int>>(std::vector<int>{}) : (*engine)->tokenize(line, how);
        if (!ids) return report(ids.error());
        fputs(ids_json(*ids).c_str(), stdout);
    }
    return exit_ok;
}

}  // namespace gemma3n::cli
