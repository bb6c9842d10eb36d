#include "quant/quantise.h"

#include "base/file.h"
#include "model/weights.h"
#include "quant/hf_metadata.h"
#include "quant/imatrix.h"
#include "quant/plan.h"
#include "quant/stream.h"

#include <filesystem>

namespace gemma3n::quant {

namespace {

// Keys that describe the file as it was, not the model.
bool is_of_the_file(std::string_view key) {
    return key == "general.file_type" || key == "general.quantization_version" || key == "general.alignment" || key.starts_with("split.") || key.starts_with("quantize.imatrix.");
}

Status set_metadata(format::GgufWriter& w, const format::Checkpoint& c, const model::Config& config, const Options& o) {
    if (c.container() == format::Container::gguf) {
        for (const format::RawMetaValue& v : c.raw_metadata())
            if (!is_of_the_file(v.key)) w.set_raw(v.key, v.type, v.bytes);
    } else {
        TRY(set_network(w, config));
        TRY(set_tokenizer(w, c, config, config.vocab));
    }
    w.set("general.file_type", static_cast<uint32_t>(format::gguf_file_type(o.mix)));
    if (!format::plain_type(o.mix)) w.set("general.quantization_version", 2u);
    return {};
}

Status check_output(const format::Checkpoint& c, const std::string& output) {
    for (const auto& file : c.files()) {
        std::error_code ec;
        if (std::filesystem::equivalent(file->path(), output, ec)) return fail(Code::bad_argument, "%s: is the input: expected another file for the output", output.c_str());
    }
    std::error_code ec;
    if (std::filesystem::is_directory(output, ec)) return fail(Code::io, "%s: is a directory: expected the name of a file", output.c_str());
    return {};
}

Result<std::string> whole_file(const std::string& path) {
    ASSIGN(const auto file, File::open(path));
    std::string s(file->size(), '\0');
    TRY(file->read(0, {reinterpret_cast<std::byte*>(s.data()), s.size()}));
    return s;
}

// Entries must have the columns of the tensors they are for; a tensor without an entry is quantised all the same.
Result<int> check_importance(const Importance& importance, const Plan& plan, const std::string& path) {
    int used = 0;
    for (const Planned& p : plan.tensors) {
        const auto it = p.takes_importance ? importance.find(p.name) : importance.end();
        if (it == importance.end()) continue;
        if (static_cast<int64_t>(it->second.size()) != p.cols()) {
            return fail(Code::bad_file, "%s: the entry of '%s' has %zu columns: expected %lld (made with another model?)", path.c_str(), p.name.c_str(), it->second.size(),
                        static_cast<long long>(p.cols()));
        }
        used++;
    }
    if (used == 0) return fail(Code::bad_file, "%s: has no entry for any tensor that is quantised (made with another model?)", path.c_str());
    return used;
}

}  // namespace

Status quantise(const std::string& input, const std::string& output, const Options& o) {
    const auto note = [&](const std::string& s) {
        if (o.note) o.note(s);
    };
    std::vector<Rule> rules;
    if (!o.rules.empty()) {
        ASSIGN(const std::string content, whole_file(o.rules));
        ASSIGN(rules, parse_rules(content, o.rules));
    }
    Importance importance;
    if (!o.imatrix.empty()) {
        ASSIGN(importance, read_imatrix(o.imatrix));
    }
    ASSIGN(const auto checkpoint, format::Checkpoint::open(input));
    TRY(check_output(*checkpoint, output));
    ASSIGN(model::Config config, model::read_config(*checkpoint));
    {
        ASSIGN(const auto weights, model::bind_weights(*checkpoint, config));  // every tensor is there and has its shape
    }
    ASSIGN(const Plan plan, make_plan(*checkpoint, config, o.mix, !o.imatrix.empty(), rules, o.rules));
    format::GgufWriter w;
    TRY(set_metadata(w, *checkpoint, config, o));
    if (!o.imatrix.empty()) {
        ASSIGN(const int used, check_importance(importance, plan, o.imatrix));
        int quantised = 0;
        for (const Planned& p : plan.tensors) quantised += is_quantised(p.type);
        w.set("quantize.imatrix.file", std::filesystem::path(o.imatrix).filename().string());
        w.set("quantize.imatrix.entries_count", static_cast<uint32_t>(used));
        if (used < quantised) note(text("%s: has entries for %d of %d quantised tensors: the others count every column the same", o.imatrix.c_str(), used, quantised));
    }
    if (plan.n_towers > 0) note(text("%s: %d tensors of vision and audio are left out: a GGUF file of this kind holds the text model", input.c_str(), plan.n_towers));
    if (plan.n_requantised > 0) note(text("%s: %d tensors are quantised already and lose twice: a file of f32, f16 or bf16 gives better results", input.c_str(), plan.n_requantised));
    for (const Planned& p : plan.tensors) w.declare(p.name, p.type, p.shape);
    TRY(w.open(output));
    TRY(stream(*checkpoint, plan, importance, w, output, o));
    TRY(checkpoint->intact());
    return w.close();
}

}  // namespace gemma3n::quant
