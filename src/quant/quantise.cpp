#include "quant/quantise.h"

#include "base/file.h"
#include "format/names.h"
#include "format/projector.h"
#include "model/media/config.h"
#include "model/weights.h"
#include "quant/hf_metadata.h"
#include "quant/imatrix.h"
#include "quant/plan.h"
#include "quant/stream.h"

#include <algorithm>
#include <deque>
#include <filesystem>

namespace gemma3n::quant {

namespace {

// Keys that describe the file as it was, not the model.
bool is_of_the_file(std::string_view key) {
    return key == "general.file_type" || key == "general.quantization_version" || key == "general.alignment" || key.starts_with("split.") || key.starts_with("quantize.imatrix.");
}

void set_file_type(format::GgufWriter& w, format::Mix mix) {
    w.set("general.file_type", static_cast<uint32_t>(format::gguf_file_type(mix)));
    if (!format::plain_type(mix)) w.set("general.quantization_version", 2u);
}

Status set_raw_metadata(format::GgufWriter& w, const format::Checkpoint& c, format::Mix mix) {
    for (const format::RawMetaValue& v : c.raw_metadata())
        if (!is_of_the_file(v.key)) w.set_raw(v.key, v.type, v.bytes);
    set_file_type(w, mix);
    return {};
}

Status set_metadata(format::GgufWriter& w, const format::Checkpoint& c, const model::Config& config, const Options& o) {
    if (c.container() == format::Container::gguf) return set_raw_metadata(w, c, o.mix);
    TRY(set_network(w, config));
    TRY(set_tokenizer(w, c, config, config.vocab));
    set_file_type(w, o.mix);
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

// One of the files that are written.
struct Output {
    std::string path;
    Plan plan;
    format::GgufWriter writer;

    Status open() {
        for (const Planned& p : plan.tensors) writer.declare(p.name, p.type, p.shape);
        return writer.open(path);
    }
    std::vector<Place> places() {
        std::vector<Place> out;
        for (size_t i = 0; i < plan.tensors.size(); i++) out.push_back({&writer.file(), writer.offset(i)});
        return out;
    }
};

class Quantisation {
public:
    Quantisation(const Options& o, const format::Checkpoint& c) : o_(o), c_(c) {}

    Status read_files() {
        if (!o_.rules.empty()) {
            ASSIGN(const std::string content, whole_file(o_.rules));
            ASSIGN(rules_, parse_rules(content, o_.rules));
        }
        if (!o_.imatrix.empty()) {
            ASSIGN(importance_, read_imatrix(o_.imatrix));
        }
        return {};
    }

    Status text(const std::string& path, const model::Config& config) {
        Output& out = add(path);
        ASSIGN(out.plan, make_plan(c_, config, o_.mix, !o_.imatrix.empty(), rules_, o_.rules));
        TRY(set_metadata(out.writer, c_, config, o_));
        if (o_.imatrix.empty()) return {};
        ASSIGN(const int used, check_importance(importance_, out.plan, o_.imatrix));
        int quantised = 0;
        for (const Planned& p : out.plan.tensors) quantised += is_quantised(p.type);
        out.writer.set("quantize.imatrix.file", std::filesystem::path(o_.imatrix).filename().string());
        out.writer.set("quantize.imatrix.entries_count", static_cast<uint32_t>(used));
        if (used < quantised) note(gemma3n::text("%s: has entries for %d of %d quantised tensors: the others count every column the same", o_.imatrix.c_str(), used, quantised));
        return {};
    }

    Status towers_of_directory(const std::string& path, const model::Config& config) {
        Output& out = add(path);
        ASSIGN(out.plan, make_tower_plan(c_, o_.mix, rules_, o_.rules));
        ASSIGN(const model::MediaConfig media, model::read_media_config(c_, config));
        set_projector_keys(out.writer, projector_keys(c_, config, media, o_.mix));
        note(gemma3n::text("%s: takes the %zu tensors of vision and audio", path.c_str(), out.plan.tensors.size()));
        return {};
    }

    Status projector(const std::string& path) {
        if (!o_.imatrix.empty()) return fail(Code::bad_argument, "%s: is a projector file: expected no importance matrix, which is made with text", c_.path().c_str());
        TRY(format::check_projector(c_));
        Output& out = add(path);
        ASSIGN(out.plan, make_tower_plan(c_, o_.mix, rules_, o_.rules));
        return set_raw_metadata(out.writer, c_, o_.mix);
    }

    Status write() {
        for (const Rule& r : rules_) {
            if (r.used) continue;
            return fail(Code::bad_argument, "%s: line %d, '%s', decides no tensor: no matrix has such a name, or earlier lines decide them all", o_.rules.c_str(), r.line,
                        shown(r.expression).c_str());
        }
        int n_requantised = 0;
        double total = 0, before = 0;
        for (Output& out : outputs_) {
            n_requantised += out.plan.n_requantised;
            TRY(out.open());
            total += static_cast<double>(out.writer.data_bytes());
        }
        if (n_requantised > 0) note(gemma3n::text("%s: %d tensors are quantised already and lose twice: a file of f32, f16 or bf16 gives better results", c_.path().c_str(), n_requantised));
        for (Output& out : outputs_) {
            Options part = o_;
            const double bytes = static_cast<double>(out.writer.data_bytes());
            if (o_.progress) part.progress = [&](double fraction) { return o_.progress((before + fraction * bytes) / total); };
            TRY(stream(c_, out.plan, importance_, out.places(), out.path, part));
            before += bytes;
        }
        TRY(c_.intact());
        for (Output& out : outputs_) TRY(out.writer.close());
        return {};
    }

    void note(const std::string& s) const {
        if (o_.note) o_.note(s);
    }

private:
    Output& add(const std::string& path) {
        outputs_.emplace_back().path = path;
        return outputs_.back();
    }

    const Options& o_;
    const format::Checkpoint& c_;
    std::vector<Rule> rules_;
    Importance importance_;
    std::deque<Output> outputs_;
};

}  // namespace

Status quantise(const std::string& input, const std::string& output, const Options& o) {
    ASSIGN(const auto checkpoint, format::Checkpoint::open(input));
    const format::Checkpoint& c = *checkpoint;
    Quantisation work(o, c);
    TRY(work.read_files());
    TRY(check_output(c, output));
    const bool is_projector = format::is_projector(c);
    const auto n_towers = is_projector ? 0 : std::count_if(c.tensors().begin(), c.tensors().end(), [](const format::TensorInfo& t) { return format::is_tower(t.name); });
    if (!o.projector.empty() && n_towers == 0) {
        return fail(Code::bad_argument, "%s: has no towers of vision and audio beside a text model: expected no name for a projector file", input.c_str());
    }
    if (is_projector) {
        TRY(work.projector(output));
        return work.write();
    }
    ASSIGN(model::Config config, model::read_config(c));
    {
        ASSIGN(const auto weights, model::bind_weights(c, config));  // every tensor is there and has its shape
    }
    TRY(work.text(output, config));
    if (n_towers > 0 && config.family == model::Family::gemma3n && !o.text_only) {
        const std::string path = o.projector.empty() ? format::projector_path(output) : o.projector;
        std::error_code ec;
        if (path == output || std::filesystem::equivalent(path, output, ec)) return fail(Code::bad_argument, "%s: is the output for the text model too: expected another file for the towers", path.c_str());
        TRY(check_output(c, path));
        TRY(work.towers_of_directory(path, config));
    } else if (n_towers > 0) {
        work.note(text("%s: %d tensors of vision and audio are left out", input.c_str(), static_cast<int>(n_towers)));
    }
    return work.write();
}

}  // namespace gemma3n::quant
