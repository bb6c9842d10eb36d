// tokenize: text to ids.
#include "cli/commands.h"
#include "cli/progress.h"

#include <cstdio>
#include <cstring>
#include <memory>

namespace gemma3n::cli {

namespace {

std::string ids_json(const std::vector<int>& ids) {
    std::string s = "[";
    for (size_t i = 0; i < ids.size(); i++) s += (i ? "," : "") + std::to_string(ids[i]);
    return s + "]\n";
}

int tokenize_lines(const Engine& engine, FILE* in, const std::string& name, const gemma3n::TokenizeOptions& how) {
    char* buffer = nullptr;
    size_t capacity = 0;
    int code = exit_ok;
    for (ssize_t n; code == exit_ok && (n = getline(&buffer, &capacity, in)) > 0;) {  // a line ends at \n only; nothing else is stripped
        const std::string_view line(buffer, static_cast<size_t>(n) - (buffer[n - 1] == '\n'));
        const auto ids = line.empty() ? Result<std::vector<int>>(std::vector<int>{}) : engine.tokenize(line, how);
        if (!ids) code = report(ids.error());
        else if (fputs(ids_json(*ids).c_str(), stdout) < 0) break;
        if (interrupted()) code = exit_interrupted;
    }
    free(buffer);
    if (interrupted()) return exit_interrupted;
    if (code == exit_ok && ferror(in)) return report({Code::io, name + ": cannot be read: " + strerror(errno)});
    return code;
}

}  // namespace

int tokenize(const TokenizeOptions& o) {
    if (!o.text && !o.file) return usage_error("no text: give TEXT or --file FILE");
    const bool from_stdin = o.file && *o.file == "-";
    std::unique_ptr<FILE, int (*)(FILE*)> opened(nullptr, fclose);
    if (o.file && !from_stdin) {
        opened.reset(fopen(o.file->c_str(), "rb"));
        if (!opened) return report({Code::not_found, *o.file + ": cannot be opened: " + strerror(errno)});
    }
    auto engine = load(o.model);
    if (!engine) return report(engine.error());
    if (!(*engine)->info().has_tokenizer) return report((*engine)->tokenize("").error());
    const gemma3n::TokenizeOptions how{!o.no_bos, o.parse_special};
    if (!o.text) {
        const int code = from_stdin ? tokenize_lines(**engine, stdin, "standard input", how) : tokenize_lines(**engine, opened.get(), *o.file, how);
        return code == exit_ok ? finish_output() : code;
    }
    auto ids = (*engine)->tokenize(*o.text, how);
    if (!ids) return report(ids.error());
    write_output(ids_json(*ids));
    return finish_output();
}

}  // namespace gemma3n::cli
