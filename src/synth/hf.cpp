// A synthetic Hugging Face directory. It is made under a temporary name beside the good one and renamed when it is whole.
#include "base/output_directory.h"
#include "format/safetensors_writer.h"
#include "synth/config_json.h"
#include "synth/fill_files.h"
#include "synth/towers.h"

#include <deque>

namespace gemma3n::synth {

namespace {

constexpr uint64_t shard_bytes = 5'000'000'000;

// The shard of each tensor, filled in order; a tensor larger than a shard has one to itself.
std::vector<int> shards_of(const std::vector<Tensor>& all, DType type) {
    std::vector<int> shard;
    uint64_t used = 0;
    int current = 0;
    for (const Tensor& t : all) {
        const uint64_t n = row_bytes(type, t.n_values());
        if (used > 0 && used + n > shard_bytes) current++, used = 0;
        used += n;
        shard.push_back(current);
    }
    return shard;
}

Status fill_directory(const OutputDirectory& directory, const Shape& shape, DType type, const std::string& path, const Options& options) {
    std::vector<Tensor> all = tensors(shape, format::Container::safetensors);
    const size_t n_text = all.size();
    if (options.towers)
        for (Tensor& t : tower_tensors(shape)) all.push_back(std::move(t));
    const std::vector<int> shard = shards_of(all, type);
    const int n_shards = shard.back() + 1;
    const auto file_name = [&](int s) { return n_shards == 1 ? std::string("model.safetensors") : text("model-%05d-of-%05d.safetensors", s + 1, n_shards); };
    const auto stored_name = [&](size_t i) { return (i < n_text && shape.is_3n ? "model.language_model." : "model.") + all[i].name; };

    const Vocabulary vocabulary = make_vocabulary(shape);
    TRY(directory.write("config.json", config_json(shape, vocabulary, type, options.towers)));
    TRY(directory.write("generation_config.json", generation_config_json(vocabulary)));
    TRY(directory.write("tokenizer_config.json", tokenizer_config_json()));
    TRY(directory.write("tokenizer.json", tokenizer_json(shape, vocabulary)));
    if (options.towers) {
        TRY(directory.write("preprocessor_config.json", preprocessor_config_json(shape)));
        TRY(directory.write("processor_config.json", processor_config_json(shape)));
    }

    std::deque<format::SafetensorsWriter> writers(static_cast<size_t>(n_shards));
    std::vector<size_t> index;  // of a tensor in its shard
    std::vector<size_t> n_in(writers.size(), 0);
    uint64_t total_bytes = 0;
    std::string weight_map;
    for (size_t i = 0; i < all.size(); i++) {
        const size_t s = static_cast<size_t>(shard[i]);
        writers[s].declare(stored_name(i), type, all[i].shape);
        index.push_back(n_in[s]++);
        total_bytes += row_bytes(type, all[i].n_values());
        weight_map += (i ? ",\n    \"" : "    \"") + stored_name(i) + "\": \"" + file_name(shard[i]) + "\"";
    }
    if (n_shards > 1) {
        TRY(directory.write("model.safetensors.index.json",
                            text("{\n  \"metadata\": {\"total_size\": %llu},\n  \"weight_map\": {\n", static_cast<unsigned long long>(total_bytes)) + weight_map + "\n  }\n}\n"));
    }
    for (int s = 0; s < n_shards; s++) {
        format::SafetensorsWriter& w = writers[static_cast<size_t>(s)];
        TRY(w.open(directory.file(file_name(s))));
        TRY(w.file().reserve(w.offset(0) + w.data_bytes()));
    }
    std::vector<Place> places;
    for (size_t i = 0; i < all.size(); i++) {
        format::SafetensorsWriter& w = writers[static_cast<size_t>(shard[i])];
        places.push_back({&all[i], type, &w.file(), w.offset(index[i])});
    }
    TRY(fill_files(places, path, options));
    for (auto& w : writers) TRY(w.close());
    return {};
}

}  // namespace

Status write_hf(const Shape& shape, format::Mix mix, const std::string& path, const Options& options) {
    const auto type = format::plain_type(mix);
    if (!type) return fail(Code::bad_argument, "%s: a Hugging Face directory cannot hold %s: expected f32, f16 or bf16", path.c_str(), format::name(mix).data());
    if (options.towers && !shape.vision) return fail(Code::bad_argument, "%s: a network of size %s has no towers", path.c_str(), shape.size.data());
    OutputDirectory directory;
    TRY(directory.create(path));
    const Status filled = fill_directory(directory, shape, *type, path, options);
    if (!filled) return directory.restated(filled.error());
    return directory.close();
}

}  // namespace gemma3n::synth
