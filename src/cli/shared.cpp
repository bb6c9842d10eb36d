#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/progress.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace gemma3n::cli {

int report(const Error& e) {
    clear_progress();
    fprintf(stderr, "gemma3n: %s\n", e.message.c_str());
    switch (e.code) {
        case Code::bad_argument: return exit_usage;
        case Code::over_budget: return exit_budget;
        case Code::cancelled: return exit_interrupted;
        default: return exit_error;
    }
}

int usage_error(const std::string& sentence) {
    fprintf(stderr, "gemma3n: %s\n", sentence.c_str());
    return exit_usage;
}

void say(const std::string& sentence) {
    clear_progress();
    fprintf(stderr, "gemma3n: %s\n", sentence.c_str());
}

std::string shown_name(const std::string& path) { return path == "-" ? "standard input" : path; }

Error in_file(Error e, const std::string& path) {
    const std::string name = shown_name(path);
    if (!e.message.starts_with(path + ":") && !e.message.starts_with(name)) e.message = name + ": " + e.message;
    return e;
}

static int output_error = 0;  // errno of the first write that failed; the stream itself forgets it

bool write_output(std::string_view s) {
    errno = 0;
    if (fwrite(s.data(), 1, s.size(), stdout) == s.size() && fflush(stdout) == 0 && !ferror(stdout)) return true;
    if (output_error == 0) output_error = errno;
    return false;
}

int finish_output() {
    if (write_output("")) return exit_ok;
    return report({Code::io, std::string("standard output cannot be written") + (output_error ? std::string(": ") + strerror(output_error) : "")});
}

Result<std::shared_ptr<Engine>> load(const ModelOptions& o, const MemoryNeeds& needs, MemoryPlan* chosen) {
    auto path = model_path(o);
    if (!path) return path.error();
    EngineOptions e = engine_options(o);
    if (o.memory > 0) {
        const auto plan = plan_memory(*path, e, needs);
        if (!plan) return plan.error();
        if (e.size == "fit") e.size = plan->size;  // for these needs
        if (chosen) *chosen = *plan;
    }
    Progress progress("loading");
    e.progress = [&](double fraction) { return progress.at(fraction); };
    return Engine::load(*path, e);
}

Status check_size(const ModelOptions& o, MemoryNeeds needs, const std::string& size) {
    if (o.memory == 0) return {};
    const auto path = model_path(o);
    if (!path) return path.error();
    needs.size = size;
    const auto plan = plan_memory(*path, engine_options(o), needs);
    return plan ? Status{} : plan.error();
}

std::string json_string(const std::string& s) {
    std::string out = "\"";
    for (size_t i = 0; i < s.size();) {
        const auto c = static_cast<unsigned char>(s[i]);
        char escaped[8];
        if (c == '"' || c == '\\') {
            out += '\\';
            out += s[i++];
        } else if (c < 32) {
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            out += escaped;
            i++;
        } else {  // a whole sequence, or one replacement for a stray byte
            const int n = utf8_length(s, i);
            out += n > 0 ? std::string_view(s).substr(i, static_cast<size_t>(n)) : replacement;
            i += n > 0 ? static_cast<size_t>(n) : 1;
        }
    }
    return out + "\"";
}

}  // namespace gemma3n::cli
