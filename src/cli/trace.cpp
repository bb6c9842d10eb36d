// trace: named tensors of one forward pass.
#include "cli/commands.h"
#include "format/safetensors_writer.h"

#include <charconv>
#include <cstdio>
#include <regex>

namespace gemma3n::cli {

static bool parse_ids(const std::string& s, std::vector<int>& out) {
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

int trace(const TraceOptions& o) {
    std::vector<int> ids;
    if (!o.prompt && !o.ids) return usage_error("nothing to trace: give PROMPT or --ids");
    if (o.ids && !parse_ids(*o.ids, ids)) return usage_error("--ids is '" + *o.ids + "': expected numbers with commas between them, like 2,5,17");
    std::optional<std::regex> only;
    try {
        if (!o.only.empty()) only.emplace(o.only);
    } catch (const std::regex_error& e) {
        return usage_error("--only '" + o.only + "' is not a regular expression: " + e.what());
    }
    auto engine = load(o.model);
    if (!engine) return report(engine.error());
    if (o.prompt) {
        auto encoded = o.raw ? (*engine)->tokenize(*o.prompt, {}) : (*engine)->encode_chat({{"user", *o.prompt}}, true);
        if (!encoded) return report(encoded.error());
        ids = *encoded;
    }
    auto session = (*engine)->new_session();
    if (!session) return report(session.error());
    std::vector<StepRow> rows;
    for (const int id : ids) rows.push_back({session->get(), id, nullptr, true});

    std::vector<TraceTensor> tensors;
    const auto wanted = [&](const std::string& name) { return !only || std::regex_search(name, *only); };
    auto logits = (*engine)->trace(rows, wanted, [&](const TraceTensor& t) { tensors.push_back(t); });
    if (!logits) return report(logits.error());
    if (tensors.empty()) fprintf(stderr, "gemma3n: no tensor's name has '%s' in it: the file will be empty\n", o.only.c_str());

    format::SafetensorsWriter writer;
    for (const TraceTensor& t : tensors) writer.declare(t.name, t.ids.empty() ? DType::f32 : DType::i32, t.shape);
    if (Status s = writer.open(o.output); !s) return report(s.error());
    for (const TraceTensor& t : tensors) {
        const void* data = t.ids.empty() ? static_cast<const void*>(t.values.data()) : t.ids.data();
        if (Status s = writer.write(data, (t.ids.empty() ? t.values.size() : t.ids.size()) * 4); !s) return report(s.error());
    }
    if (Status s = writer.close(); !s) return report(s.error());
    return exit_ok;
}

}  // namespace gemma3n::cli
