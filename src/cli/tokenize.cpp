// tokenize: text to ids.
#include "cli/commands.h"
#include "cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gemma3n::cli {

namespace {

std::string ids_json(const std::vector<int>& ids) {
    std::string s = "[";
    for (const int id : ids) {
        if (s.size() > 1) s += ',';
        s += std::to_string(id);
    }
    return s + "]\n";
}

int tokenize_lines(const Engine& engine, int fd, const std::string& name, const gemma3n::TokenizeOptions& how) {
    Lines lines(fd);
    for (std::string line;;) {
        const Line got = lines.next(line);
        if (got == Line::interrupted) return exit_interrupted;
        if (got == Line::failed) return report({Code::io, name + ": cannot be read: " + strerror(errno)});
        if (got == Line::end) return finish_output();
        const auto ids = line.empty() ? Result<std::vector<int>>(std::vector<int>{}) : engine.tokenize(line, how);
        if (!ids) return report(ids.error());
        if (!write_output(ids_json(*ids))) return finish_output();
    }
}

}  // namespace

int tokenize(const TokenizeOptions& o) {
    if (!o.text && !o.file) return usage_error("no text: give TEXT or --file FILE");
    int fd = STDIN_FILENO;
    if (o.file && *o.file != "-") {
        fd = open(o.file->c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return report({Code::not_found, *o.file + ": cannot be opened: " + strerror(errno)});
    }
    auto engine = load(o.model);
    if (!engine) return report(engine.error());
    const gemma3n::TokenizeOptions how{!o.no_bos, o.parse_special};
    const auto ids = (*engine)->tokenize(o.text.value_or(""), how);  // without TEXT: an error when there is no tokenizer, said before input is awaited
    if (!ids) return report(ids.error());
    if (!o.text) return tokenize_lines(**engine, fd, *o.file == "-" ? "standard input" : *o.file, how);
    write_output(ids_json(*ids));
    return finish_output();
}

}  // namespace gemma3n::cli
