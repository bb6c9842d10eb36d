// trace: named tensors of one forward pass.
#include "cli/commands.h"
#include "cli/progress.h"
#include "format/safetensors_writer.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <regex>

namespace gemma3n::cli {

namespace {

bool parse_ids(const std::string& s, std::vector<int>& out) {
    for (const char *p = s.data(), *end = p + s.size();;) {
        int id;
        const auto [next, error] = std::from_chars(p, end, id);
        if (error != std::errc{}) return false;
        out.push_back(id);
        if (next == end) return true;
        if (*next != ',') return false;
        p = next + 1;
    }
}

// Ids that came from the command line or a prompt, held against the model before a session sees them: the sentences name the option.
int check_ids(const std::vector<int>& ids, const ModelInfo& m) {
    if (ids.empty()) return usage_error("PROMPT is empty: expected text");
    for (const int id : ids) {
        if (id < 0 || id >= m.vocab) return usage_error("--ids has " + std::to_string(id) + ": expected ids from 0 to " + std::to_string(m.vocab - 1));
    }
    if (static_cast<int64_t>(ids.size()) <= m.context_length) return exit_ok;
    return report({Code::context_full, std::to_string(ids.size()) + " tokens to trace: the model's context has room for " + std::to_string(m.context_length)});
}

int write(const std::string& path, const std::vector<TraceTensor>& tensors) {
    format::SafetensorsWriter writer;
    for (const TraceTensor& t : tensors) writer.declare(t.name, t.ids.empty() ? DType::f32 : DType::i32, t.shape);
    if (Status s = writer.open(path); !s) return report(s.error());
    for (const TraceTensor& t : tensors) {
        const void* data = t.ids.empty() ? static_cast<const void*>(t.values.data()) : t.ids.data();
        if (Status s = writer.write(data, (t.ids.empty() ? t.values.size() : t.ids.size()) * 4); !s) return report(s.error());
    }
    if (Status s = writer.close(); !s) return report(s.error());
    return exit_ok;
}

}  // namespace

int trace(const TraceOptions& o) {
    std::vector<int> ids;
    if (!o.prompt && !o.ids) return usage_error("nothing to trace: give PROMPT or --ids");
    if (o.ids && !parse_ids(*o.ids, ids)) return usage_error("--ids is '" + *o.ids + "': expected numbers with commas between them, like 2,5,17");
    if (o.prompt && o.prompt->empty()) return usage_error("PROMPT is empty: expected text");
    std::optional<std::regex> only;
    try {
        if (o.only) only.emplace(*o.only);
    } catch (const std::regex_error& e) {
        return usage_error("--only is '" + *o.only + "', which is not a regular expression: " + e.what());
    }
    std::error_code no_model;  // is told by load
    if (std::filesystem::equivalent(o.output, o.model.model, no_model)) return usage_error("--output is '" + o.output + "', which is the model: expected another file");
    {
        OutputFile probe;  // an output that cannot be written is found before the work, not after it
        if (Status s = probe.open(o.output); !s) return report(s.error());
    }
    auto engine = load(o.model);
    if (!engine) return report(engine.error());
    if (o.prompt) {
        auto encoded = o.raw ? (*engine)->tokenize(*o.prompt, {}) : (*engine)->encode_chat({{"user", *o.prompt}}, true);
        if (!encoded) return report(encoded.error());
        ids = *encoded;
    }
    if (const int code = check_ids(ids, (*engine)->info()); code != exit_ok) return code;
    auto session = (*engine)->new_session();
    if (!session) return report(session.error());
    std::vector<StepRow> rows;
    for (const int id : ids) rows.push_back({session->get(), id, nullptr, true});

    std::vector<TraceTensor> tensors;
    const auto wanted = [&](const std::string& name) { return !only || std::regex_search(name, *only); };
    auto logits = (*engine)->trace(rows, wanted, [&](const TraceTensor& t) { tensors.push_back(t); });
    if (!logits) return report(logits.error());
    if (interrupted()) return exit_interrupted;
    if (tensors.empty()) return usage_error("--only is '" + *o.only + "', which is found in no tensor's name: expected one of names like logits or layers.0.k");
    return write(o.output, tensors);
}

}  // namespace gemma3n::cli
