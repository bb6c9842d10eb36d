#include "quant/slice.h"

#include "base/output_directory.h"
#include "format/gguf_writer.h"
#include "format/names.h"
#include "format/projector.h"
#include "format/safetensors_writer.h"
#include "model/slices.h"
#include "model/weights.h"
#include "quant/cut.h"
#include "quant/hf_config.h"
#include "quant/hf_metadata.h"
#include "quant/stream.h"

#include <algorithm>
#include <deque>
#include <filesystem>

namespace gemma3n::quant {

namespace {

namespace fs = std::filesystem;
using format::Checkpoint;

constexpr uint64_t shard_bytes = 5'000'000'000;

class Export {
public:
    Export(const Checkpoint& c, const model::Config& config, const Slice& slice, const SliceOptions& o)
        : c_(c), config_(config), sliced_(model::sliced(config, slice)), slice_(slice), o_(o) {}

    Status gguf(const std::string& path) {
        std::error_code ec;
        if (fs::equivalent(path, c_.path(), ec)) return fail(Code::bad_argument, "%s: is the input: expected another file for the output", path.c_str());
        if (fs::is_directory(path, ec)) return fail(Code::io, "%s: is a directory: expected the name of a file", path.c_str());
        const bool from_hf = c_.container() == format::Container::safetensors;
        std::vector<Rule> no_rules;
        std::optional<format::Mix> mix;
        if (from_hf) {
            ASSIGN(mix, plain_mix());
        }
        ASSIGN(Plan plan, make_plan(c_, config_, mix, false, no_rules, ""));
        TRY(cut(plan, c_, config_, slice_));
        format::GgufWriter w;
        if (from_hf) {
            TRY(set_network(w, sliced_));
            TRY(set_tokenizer(w, c_, sliced_, sliced_.vocab));
            w.set("general.file_type", static_cast<uint32_t>(format::gguf_file_type(*mix)));
            if (std::any_of(c_.tensors().begin(), c_.tensors().end(), [](const auto& t) { return format::is_tower(t.name); })) {
                note(text("%s: its towers are left out: quantize writes them as a file of their own, which fits every slice", c_.path().c_str()));
            }
        } else {
            TRY(set_metadata(w));
        }
        for (const Planned& p : plan.tensors) w.declare(p.name, p.type, p.shape);
        TRY(w.open(path));
        std::vector<Place> places;
        for (size_t i = 0; i < plan.tensors.size(); i++) places.push_back({&w.file(), w.offset(i)});
        TRY(write(plan, places, path));
        return w.close();
    }

    Status directory(const std::string& path) {
        OutputDirectory d;
        TRY(d.create(path));
        const Status filled = fill(d, path);
        if (!filled) return d.restated(filled.error());
        return d.close();
    }

private:
    // The directory's own type; what GGUF wants in f32 (vectors) becomes it.
    Result<format::Mix> plain_mix() const {
        const format::TensorInfo* embed = c_.find("embed_tokens.weight");
        for (const format::Mix m : {format::Mix::f32, format::Mix::f16, format::Mix::bf16})
            if (embed && format::plain_type(m) == embed->type) return m;
        return fail(Code::unsupported, "%s: its weights are neither f32, f16 nor bf16", c_.path().c_str());
    }

    // The file's own, with what it says about layers said of the slice's.
    Status set_metadata(format::GgufWriter& w) const {
        const std::string at = *c_.text("general.architecture") + ".";
        const auto of_layers = [&](std::string_view key) {
            if (!key.starts_with(at)) return false;
            key.remove_prefix(at.size());
            return key == "block_count" || key == "feed_forward_length" || key == "attention.sliding_window_pattern" || key == "attention.shared_kv_layers" || key == "activation_sparsity_scale" ||
                   key == "slices";
        };
        for (const format::RawMetaValue& v : c_.raw_metadata())
            if (!of_layers(v.key) && v.key != "general.alignment") w.set_raw(v.key, v.type, v.bytes);
        return set_layers(w, sliced_);
    }

    Status fill(const OutputDirectory& d, const std::string& path) {
        const bool from_hf = c_.container() == format::Container::safetensors;
        ASSIGN(Plan plan, make_hf_plan(c_, config_, o_.dequantise ? std::optional(DType::bf16) : std::nullopt));
        TRY(cut(plan, c_, config_, slice_));
        const auto embed = std::find_if(plan.tensors.begin(), plan.tensors.end(), [](const Planned& p) { return p.parts[0]->name == "embed_tokens.weight"; });
        ASSIGN(const std::string config, from_hf ? cut_config_json(c_, sliced_) : make_config_json(c_, sliced_, embed->type));
        TRY(d.write("config.json", config));
        if (from_hf) TRY(copy_side_files(d));
        else note(text("%s: the tokenizer stays in the file: a directory needs the tokenizer.json of the model", c_.path().c_str()));

        std::deque<format::SafetensorsWriter> writers(1);
        std::vector<size_t> shard, index;
        std::vector<size_t> n_in(1, 0);
        uint64_t total_bytes = 0;
        for (const Planned& p : plan.tensors) {
            const uint64_t n = row_bytes(p.type, p.cols()) * static_cast<uint64_t>(p.rows());
            if (writers.back().data_bytes() > 0 && writers.back().data_bytes() + n > shard_bytes) writers.emplace_back(), n_in.push_back(0);
            writers.back().declare(p.name, p.type, p.shape);
            shard.push_back(writers.size() - 1);
            index.push_back(n_in.back()++);
            total_bytes += n;
        }
        const auto file_name = [&](size_t s) {
            return writers.size() == 1 ? std::string("model.safetensors") : text("model-%05d-of-%05d.safetensors", static_cast<int>(s + 1), static_cast<int>(writers.size()));
        };
        if (writers.size() > 1) {
            std::string map;
            for (size_t i = 0; i < plan.tensors.size(); i++) map += (i ? ",\n    \"" : "    \"") + plan.tensors[i].name + "\": \"" + file_name(shard[i]) + "\"";
            TRY(d.write("model.safetensors.index.json", "{\n  \"metadata\": {\"total_size\": " + std::to_string(total_bytes) + "},\n  \"weight_map\": {\n" + map + "\n  }\n}\n"));
        }
        for (size_t s = 0; s < writers.size(); s++) {
            TRY(writers[s].open(d.file(file_name(s))));
            TRY(writers[s].file().reserve(writers[s].offset(0) + writers[s].data_bytes()));
        }
        std::vector<Place> places;
        for (size_t i = 0; i < plan.tensors.size(); i++) places.push_back({&writers[shard[i]].file(), writers[shard[i]].offset(index[i])});
        TRY(write(plan, places, path));
        for (auto& w : writers) TRY(w.close());
        return {};
    }

    // Tokenizer, template, processors: every small file beside the weights.
    Status copy_side_files(const OutputDirectory& d) const {
        std::error_code ec;
        for (const fs::directory_entry& entry : fs::directory_iterator(c_.path(), ec)) {
            const std::string name = entry.path().filename().string(), ending = entry.path().extension().string();
            const bool carried = ending == ".json" || ending == ".jinja" || ending == ".model" || ending == ".txt" || ending == ".md";
            if (!entry.is_regular_file(ec) || !carried || name == "config.json" || name.ends_with(".safetensors.index.json")) continue;
            if (entry.file_size(ec) == 0) continue;
            ASSIGN(const std::string content, c_.side_file(name));
            TRY(d.write(name, content));
        }
        return {};
    }

    Status write(const Plan& plan, const std::vector<Place>& places, const std::string& path) const {
        Options o;
        o.threads = o_.threads;
        o.progress = o_.progress;
        TRY(stream(c_, plan, {}, places, path, o));
        return c_.intact();
    }

    void note(const std::string& s) const {
        if (o_.note) o_.note(s);
    }

    const Checkpoint& c_;
    const model::Config& config_;
    const model::Config sliced_;
    const Slice& slice_;
    const SliceOptions& o_;
};

}  // namespace

Status slice(const std::string& input, const std::string& output, const SliceOptions& o) {
    ASSIGN(const auto checkpoint, Checkpoint::open(input));
    ASSIGN(model::Config config, model::read_config(*checkpoint));
    {
        ASSIGN(const auto weights, model::bind_weights(*checkpoint, config));  // every tensor is there and has its shape
    }
    ASSIGN(const Slice slice, model::find_slice(config, *checkpoint, o.to));
    Export work(*checkpoint, config, slice, o);
    if (!output.ends_with(".gguf")) return work.directory(output);
    if (o.dequantise) return fail(Code::bad_argument, "%s: a GGUF file keeps the types of its input: expected --dequantise with a directory only", output.c_str());
    return work.gguf(output);
}

}  // namespace gemma3n::quant
