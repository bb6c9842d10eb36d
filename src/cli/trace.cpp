// trace: named tensors of one forward pass.
#include "cli/attachments.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "format/safetensors_writer.h"

#include <charconv>
#include <cstdio>
#include <deque>
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
        if (id < 0 || id >= m.n_ids) return usage_error("--ids has " + std::to_string(id) + ": expected ids from 0 to " + std::to_string(m.n_ids - 1));
    }
    if (static_cast<int64_t>(ids.size()) <= m.context_length) return exit_ok;
    return report({Code::context_full, std::to_string(ids.size()) + " tokens to trace: the model's context has room for " + std::to_string(m.context_length)});
}

// What the towers make of each picture and clip, under a name with its number.
class MediaTensors {
public:
    MediaTensors(std::function<bool(const std::string&)> wanted, std::vector<TraceTensor>& out) : wanted_(std::move(wanted)), out_(out) {}

    const EncoderTrace* of(SoftTokens::Kind kind, int64_t index) {
        const auto named = [kind, number = std::to_string(index)](const std::string& name) -> std::string {
            if (name == "soft_tokens") return (kind == SoftTokens::Kind::image ? "soft_tokens.image." : "soft_tokens.audio.") + number;
            if (name == "pixel_values") return "pixel_values." + number;
            if (name == "audio.input_features") return "input_features." + number;
            const size_t dot = name.find('.');  // vision.conv_stem -> vision.0.conv_stem
            return name.substr(0, dot + 1) + number + name.substr(dot);
        };
        return &traces_.emplace_back(EncoderTrace{[this, named](const std::string& name) { return wanted_(named(name)); }, [this, named](const TraceTensor& t) { put(named(t.name), t); }});
    }

private:
    // A tensor that comes in pieces is one.
    void put(const std::string& name, const TraceTensor& t) {
        for (TraceTensor& before : out_) {
            if (before.name != name) continue;
            before.shape[0] += t.shape[0];
            before.values.insert(before.values.end(), t.values.begin(), t.values.end());
            return;
        }
        out_.push_back(t);
        out_.back().name = name;
    }

    std::function<bool(const std::string&)> wanted_;
    std::vector<TraceTensor>& out_;
    std::deque<EncoderTrace> traces_;  // they stay where they are
};

// A row for each id, with the vector of its medium where it is a placeholder.
std::vector<StepRow> rows_of(Session* session, const Prompt& prompt, const ModelInfo& m) {
    std::vector<StepRow> rows;
    size_t medium = 0;
    int64_t row = 0;
    for (const int id : prompt.ids) {
        const float* embedding = nullptr;
        if (medium < prompt.media.size() && (id == m.image_placeholder || id == m.sound_placeholder)) {
            const SoftTokens& t = *prompt.media[medium];
            embedding = t.values.data() + row * t.hidden;
            if (++row == t.n) medium++, row = 0;
        }
        rows.push_back({session, id, embedding, true});
    }
    return rows;
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
    const bool media = !o.media.files.empty();
    if (media && o.ids) return usage_error("--ids and pictures or sound cannot be given together");
    if (!o.prompt && !o.ids) return usage_error("nothing to trace: give PROMPT or --ids");
    if (o.ids && !parse_ids(*o.ids, ids)) return usage_error("--ids is '" + *o.ids + "': expected numbers with commas between them, like 2,5,17");
    if (o.prompt && o.prompt->empty() && !media) return usage_error("PROMPT is empty: expected text");
    if (const Status s = check_concern(o.media, false); !s) return report(s.error());
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
    std::vector<TraceTensor> tensors;
    const auto wanted = [&](const std::string& name) { return !only || std::regex_search(name, *only); };
    Prompt prompt{ids, {}};
    if (o.prompt) {
        MediaTensors media_tensors(wanted, tensors);
        Attachments attachments(*engine, o.media, false);
        attachments.room([&](std::vector<Part> parts) {
            parts.push_back({*o.prompt, nullptr});
            const auto turn = o.raw ? (*engine)->text_prompt(parts) : (*engine)->chat_prompt({{"user", "", parts}}, true);
            return (*engine)->info().context_length - (turn ? static_cast<int64_t>(turn->ids.size()) : 0);
        });
        attachments.trace([&](SoftTokens::Kind kind, int64_t index) { return media_tensors.of(kind, index); });
        if (const Status s = attachments.add_flags(); !s) return report(s.error());
        const std::vector<Part> parts = attachments.with(*o.prompt);
        auto encoded = o.raw ? (*engine)->text_prompt(parts) : (*engine)->chat_prompt({{"user", "", parts}}, true);
        if (!encoded) return report(encoded.error());
        prompt = std::move(*encoded);
    }
    const ModelInfo& info = (*engine)->info();
    if (const int code = check_ids(prompt.ids, info); code != exit_ok) return code;
    auto session = (*engine)->new_session();
    if (!session) return report(session.error());
    const std::vector<StepRow> rows = rows_of(session->get(), prompt, info);
    auto logits = (*engine)->trace(rows, wanted, [&](const TraceTensor& t) { tensors.push_back(t); });
    if (!logits) return report(logits.error());
    if (interrupted()) return exit_interrupted;
    if (tensors.empty()) return usage_error("--only is '" + *o.only + "', which is found in no tensor's name: expected one of names like logits or layers.0.k");
    return write(o.output, tensors);
}

}  // namespace gemma3n::cli
