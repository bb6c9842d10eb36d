// A synthetic GGUF file: metadata with the published keys, tensors, data.
#include "format/gguf_writer.h"
#include "format/names.h"
#include "format/projector.h"
#include "format/projector_tensor.h"
#include "format/tower_names.h"
#include "synth/fill_files.h"
#include "synth/towers.h"
#include "synth/vocabulary.h"

#include <cmath>

namespace gemma3n::synth {

namespace {

using format::GgufWriter;

uint32_t u32(int64_t v) { return static_cast<uint32_t>(v); }

void set_network(GgufWriter& w, const Shape& s) {
    const std::string at = s.is_3n ? "gemma3n." : "gemma3.";
    w.set(at + "context_length", u32(s.context_length));
    w.set(at + "embedding_length", u32(s.hidden));
    w.set(at + "block_count", u32(s.n_layers));
    w.set(at + "feed_forward_length", u32(s.ff));
    w.set(at + "attention.head_count", u32(s.n_heads));
    w.set(at + "attention.head_count_kv", u32(s.n_kv_heads));
    w.set(at + "attention.key_length", u32(s.head_dim));
    w.set(at + "attention.value_length", u32(s.head_dim));
    w.set(at + "attention.layer_norm_rms_epsilon", 1e-6f);
    w.set(at + "attention.sliding_window", u32(s.window));
    w.set(at + "rope.freq_base", 1e6f);
    if (s.rope_scale != 1) {
        w.set(at + "rope.scaling.type", "linear");
        w.set(at + "rope.scaling.factor", static_cast<float>(s.rope_scale));
    }
    if (!s.is_3n) return;
    std::vector<bool> sliding;
    std::vector<float> sparsity;
    for (int64_t l = 0; l < s.n_layers; l++) {
        sliding.push_back(s.sliding(l));
        sparsity.push_back(s.sparse(l) ? 1.6448536f : -INFINITY);  // the normal distribution's 95 % quantile
    }
    w.set(at + "attention.sliding_window_pattern", sliding);
    w.set(at + "attention.shared_kv_layers", u32(s.n_shared));
    w.set(at + "activation_sparsity_scale", sparsity);
    w.set(at + "altup.num_inputs", u32(s.n_streams));
    w.set(at + "altup.active_idx", 0u);
    w.set(at + "embedding_length_per_layer_input", u32(s.per_layer_width));
    w.set(at + "final_logit_softcapping", 30.0f);
    if (!s.slices.empty()) w.set(at + "slices", slices_json(s));
}

void set_tokenizer(GgufWriter& w, const Shape& s) {
    const Vocabulary v = make_vocabulary(s);
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<int32_t> types;
    for (size_t id = 0; id < v.pieces.size(); id++) {
        const Piece& p = v.pieces[id];
        std::string spelled = p.text;
        if (p.kind == PieceKind::user_defined) {  // matched on raw text: real spaces
            for (size_t i; (i = spelled.find("\xE2\x96\x81")) != std::string::npos;) spelled.replace(i, 3, " ");
        }
        tokens.push_back(std::move(spelled));
        scores.push_back(p.kind == PieceKind::normal ? static_cast<float>(v.first_merged) - static_cast<float>(id) : p.kind == PieceKind::byte ? 0.0f : -1000.0f);
        types.push_back(static_cast<int32_t>(p.kind));
    }
    w.set("tokenizer.ggml.model", "llama");
    w.set("tokenizer.ggml.pre", "default");
    w.set("tokenizer.ggml.tokens", tokens);
    w.set("tokenizer.ggml.scores", scores);
    w.set("tokenizer.ggml.token_type", types);
    w.set("tokenizer.ggml.bos_token_id", u32(bos_id));
    w.set("tokenizer.ggml.eos_token_id", u32(eos_id));
    w.set("tokenizer.ggml.eot_token_id", u32(v.end_of_turn));
    w.set("tokenizer.ggml.unknown_token_id", u32(unknown_id));
    w.set("tokenizer.ggml.padding_token_id", u32(pad_id));
    w.set("tokenizer.ggml.add_bos_token", true);
    w.set("tokenizer.ggml.add_eos_token", false);
    w.set("tokenizer.ggml.add_space_prefix", false);
}

// Declares and opens; the places of the data are added to `places`.
Status open(GgufWriter& w, const std::vector<GgufTensor>& all, const std::string& path, std::vector<Place>& places) {
    for (const GgufTensor& t : all) w.declare(t.name, t.type, t.shape);
    TRY(w.open(path));
    for (size_t i = 0; i < all.size(); i++) {
        const uint64_t part_bytes = w.bytes(i) / all[i].parts.size();
        for (size_t k = 0; k < all[i].parts.size(); k++) places.push_back({&all[i].parts[k], all[i].type, &w.file(), w.offset(i) + part_bytes * k});
    }
    return {};
}

}  // namespace

std::vector<GgufTensor> gguf_tensors(const Shape& shape, format::Mix mix) {
    std::vector<GgufTensor> out;
    for (Tensor& t : tensors(shape, format::Container::gguf)) {
        const std::string name = format::gguf_from_canonical(t.name).value_or(t.name);
        const DType type = format::type_in_mix(mix, t.name, static_cast<int64_t>(t.shape.size()), t.cols(), {shape.n_layers, shape.n_heads / shape.n_kv_heads});
        if (!out.empty() && out.back().name == name) {
            out.back().parts.push_back(std::move(t));
            continue;
        }
        std::vector<int64_t> dims = t.shape;
        out.push_back({name, type, std::move(dims), {}});
        out.back().parts.push_back(std::move(t));
    }
    for (GgufTensor& t : out)
        if (t.name == "altup_proj.weight" || t.name == "altup_unembd_proj.weight") t.shape.insert(t.shape.begin(), static_cast<int64_t>(t.parts.size()));
    return out;
}

std::vector<GgufTensor> projector_tensors(const Shape& shape, format::Mix mix) {
    std::vector<GgufTensor> out;
    for (Tensor& t : tower_tensors(shape)) {
        format::ProjectorTensor stored = format::in_projector(mix, t.name, t.shape);
        std::string name = format::projector_from_canonical(t.name).value_or(t.name);
        out.push_back({std::move(name), stored.type, std::move(stored.shape), {std::move(t)}});
    }
    return out;
}

Status write_gguf(const Shape& shape, format::Mix mix, const std::string& path, const Options& options) {
    const std::string projector_path = format::projector_path(path);
    GgufWriter w, projector;
    w.set("general.architecture", shape.is_3n ? "gemma3n" : "gemma3");
    w.set("general.type", "model");
    w.set("general.name", "synthetic " + std::string(shape.title));
    w.set("general.file_type", u32(format::gguf_file_type(mix)));
    w.set("general.quantization_version", 2u);
    set_network(w, shape);
    set_tokenizer(w, shape);
    const std::vector<GgufTensor> text = gguf_tensors(shape, mix);
    std::vector<Place> places;
    TRY(open(w, text, path, places));
    std::vector<GgufTensor> towers;
    if (options.towers) {
        if (!shape.vision) return fail(Code::bad_argument, "%s: a network of size %s has no towers", path.c_str(), shape.size.data());
        towers = projector_tensors(shape, mix);
        set_projector_keys(projector, projector_keys(shape, mix));
        TRY(open(projector, towers, projector_path, places));
    }
    TRY(fill_files(places, path, options));
    if (options.towers) TRY(projector.close());
    return w.close();
}

}  // namespace gemma3n::synth
