// The smallest Gemma 3n with every feature, as a Hugging Face directory or a GGUF file: four layers (two of them read a donor's
// cache), two streams, a vocabulary of specials, bytes and a few words. 30 KB, so that it can be broken thousands of times.
#pragma once

#include "base/f16.h"
#include "format/gguf_builder.h"
#include "model/checkpoint_dir.h"
#include "model/formula.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace gemma3n::test {

struct TinyModel {
    static constexpr int64_t hidden = 8, n_layers = 4, n_heads = 2, n_kv_heads = 1, head_dim = 4, ff = 8, per_layer = 4, n_streams = 2, rank = 2,
                             n_shared = 2, window = 4, context = 64;

    // ---- vocabulary ------------------------------------------------------------------------------------------------
    struct Piece {
        std::string text;
        int type;  // of GGUF: 1 normal, 2 unknown, 3 control, 4 user-defined, 6 byte
        float score = 0;
    };
    static std::vector<Piece> pieces() {
        std::vector<Piece> p = {{"<pad>", 3}, {"<eos>", 3}, {"<bos>", 3}, {"<unk>", 2}, {"<start_of_turn>", 3}, {"<end_of_turn>", 3}, {"\n", 4}, {"  ", 4}};
        for (int b = 0; b < 256; b++) {
            char name[8];
            snprintf(name, sizeof name, "<0x%02X>", b);
            p.push_back({name, 6});
        }
        float score = 0;  // of merged pieces: the earlier merge has the better score
        for (const char* s : {"\u2581", "a", "b", "d", "e", "h", "l", "m", "o", "r", "s", "u", "he", "ll", "hell", "hello", "\u2581a", "us", "er", "user", "mo", "de", "é", "mode"})
            p.push_back({s, 1, score -= 1});
        return p;
    }
    static int64_t vocab() { return static_cast<int64_t>(pieces().size()); }

    static std::string tokenizer_json() {
        std::string vocab, merges, added;
        const auto comma = [](std::string& s) -> std::string& { return s += s.empty() ? "" : ","; };
        const auto all = pieces();
        for (size_t i = 0; i < all.size(); i++) {
            std::string text = all[i].text == "\n" ? "\\n" : all[i].text == "  " ? "\u2581\u2581" : all[i].text;
            comma(vocab) += "\"" + text + "\":" + std::to_string(i);
            if (all[i].type == 3 || all[i].type == 2 || all[i].type == 4) {
                comma(added) += "{\"id\":" + std::to_string(i) + ",\"content\":\"" + text + "\",\"special\":" + (all[i].type == 4 ? "false" : "true") + "}";
            }
        }
        for (const auto& [left, right] : {std::pair{"\u2581", "\u2581"}, {"h", "e"}, {"l", "l"}, {"he", "ll"}, {"hell", "o"}, {"\u2581", "a"}, {"u", "s"}, {"e", "r"}, {"us", "er"}, {"m", "o"}, {"d", "e"}, {"mo", "de"}})
            comma(merges) += std::string("[\"") + left + "\",\"" + right + "\"]";
        return "{\"added_tokens\":[" + added + "],\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"unk_token\":\"<unk>\",\"vocab\":{" + vocab + "},\"merges\":[" + merges + "]}}";
    }

    // ---- weights ---------------------------------------------------------------------------------------------------
    // A tensor with both its names. Values follow from the Hugging Face name.
    struct Tensor {
        std::string hf, gguf;
        std::vector<int64_t> shape;  // outermost first

        std::vector<float> values() const {
            const bool vector = shape.size() == 1;
            return FormulaTensor{hf, shape, vector ? 1.0 : 0.0, vector ? 0.25 : std::sqrt(3.0 / static_cast<double>(shape.back()))}.values();
        }
    };
    static std::vector<Tensor> tensors() {
        std::vector<Tensor> t = {{"embed_tokens.weight", "token_embd.weight", {vocab(), hidden}},
                                 {"embed_tokens_per_layer.weight", "per_layer_token_embd.weight", {vocab(), n_layers * per_layer}},
                                 {"per_layer_model_projection.weight", "per_layer_model_proj.weight", {n_layers * per_layer, hidden}},
                                 {"per_layer_projection_norm.weight", "per_layer_proj_norm.weight", {per_layer}},
                                 {"norm.weight", "output_norm.weight", {hidden}}};
        for (int64_t l = 0; l < n_layers; l++) {
            const auto add = [&](const char* hf, const char* gguf, std::vector<int64_t> shape) {
                t.push_back({"layers." + std::to_string(l) + "." + hf, "blk." + std::to_string(l) + "." + gguf, std::move(shape)});
            };
            add("input_layernorm.weight", "attn_norm.weight", {hidden});
            add("post_attention_layernorm.weight", "post_attention_norm.weight", {hidden});
            add("pre_feedforward_layernorm.weight", "ffn_norm.weight", {hidden});
            add("post_feedforward_layernorm.weight", "post_ffw_norm.weight", {hidden});
            add("post_per_layer_input_norm.weight", "post_norm.weight", {hidden});
            add("self_attn.q_proj.weight", "attn_q.weight", {n_heads * head_dim, hidden});
            add("self_attn.o_proj.weight", "attn_output.weight", {hidden, n_heads * head_dim});
            add("self_attn.q_norm.weight", "attn_q_norm.weight", {head_dim});
            add("self_attn.k_proj.weight", "attn_k.weight", {n_kv_heads * head_dim, hidden});  // dead weight in the upper layers
            add("self_attn.v_proj.weight", "attn_v.weight", {n_kv_heads * head_dim, hidden});
            add("self_attn.k_norm.weight", "attn_k_norm.weight", {head_dim});
            add("mlp.gate_proj.weight", "ffn_gate.weight", {ff, hidden});
            add("mlp.up_proj.weight", "ffn_up.weight", {ff, hidden});
            add("mlp.down_proj.weight", "ffn_down.weight", {hidden, ff});
            add("per_layer_input_gate.weight", "inp_gate.weight", {per_layer, hidden});
            add("per_layer_projection.weight", "proj.weight", {hidden, per_layer});
            add("altup.correct_output_scale", "altup_correct_scale.weight", {hidden});
            add("altup.correction_coefs.weight", "altup_correct_coef.weight", {n_streams, n_streams});
            add("altup.prediction_coefs.weight", "altup_predict_coef.weight", {n_streams * n_streams, n_streams});
            add("altup.modality_router.weight", "altup_router.weight", {n_streams, hidden});
            add("altup.router_norm.weight", "altup_router_norm.weight", {hidden});
            add("laurel.linear_left.weight", "laurel_l.weight", {rank, hidden});
            add("laurel.linear_right.weight", "laurel_r.weight", {hidden, rank});
            add("laurel.post_laurel_norm.weight", "laurel_post_norm.weight", {hidden});
        }
        return t;
    }

    // ---- Hugging Face ----------------------------------------------------------------------------------------------
    static std::string config_json() {
        return "{\"model_type\":\"gemma3n\",\"eos_token_id\":[1,5],\"text_config\":{\"model_type\":\"gemma3n_text\",\"hidden_size\":8,"
               "\"num_hidden_layers\":4,\"intermediate_size\":[8,8,8,8],\"num_attention_heads\":2,\"num_key_value_heads\":1,\"head_dim\":4,"
               "\"hidden_size_per_layer_input\":4,\"vocab_size_per_layer_input\":288,\"laurel_rank\":2,\"sliding_window\":4,"
               "\"num_kv_shared_layers\":2,\"altup_num_inputs\":2,\"altup_active_idx\":0,\"altup_coef_clip\":120.0,\"rms_norm_eps\":1e-6,"
               "\"final_logit_softcapping\":30.0,\"max_position_embeddings\":64,\"rope_theta\":1000000.0,\"rope_local_base_freq\":10000.0,"
               "\"activation_sparsity_pattern\":[0.95,0.0,0.0,0.0],"
               "\"layer_types\":[\"sliding_attention\",\"full_attention\",\"sliding_attention\",\"full_attention\"]}}";
    }
    static std::vector<PlainTensor> plain() {
        std::vector<PlainTensor> out;
        for (const Tensor& t : tensors()) out.push_back({"model.language_model." + t.hf, t.shape, t.values()});
        for (const char* stack : {"altup_projections", "altup_unembed_projections"}) {
            const Tensor t{std::string(stack) + ".0.weight", "", {hidden, hidden}};
            out.push_back({"model.language_model." + t.hf, t.shape, t.values()});
        }
        return out;
    }
    static void write(const CheckpointDir& dir, DType type = DType::f32, int n_shards = 1) {
        dir.write(config_json(), plain(), type, n_shards);
        std::ofstream(dir.path() + "/tokenizer.json") << tokenizer_json();
    }

    // ---- GGUF ------------------------------------------------------------------------------------------------------
    static void metadata(GgufBuilder& b, const std::function<bool(const std::string&)>& skip = {}) {
        const auto wanted = [&](const std::string& key) { return !skip || !skip(key); };
        const auto u32 = [&](const std::string& key, uint32_t v) {
            if (wanted(key)) b.u32(key, v);
        };
        if (wanted("general.architecture")) b.string("general.architecture", "gemma3n");
        u32("gemma3n.block_count", n_layers);
        u32("gemma3n.embedding_length", hidden);
        u32("gemma3n.attention.head_count", n_heads);
        u32("gemma3n.attention.head_count_kv", n_kv_heads);
        u32("gemma3n.attention.key_length", head_dim);
        u32("gemma3n.attention.value_length", head_dim);
        u32("gemma3n.attention.sliding_window", window);
        if (wanted("gemma3n.attention.sliding_window_pattern")) b.numbers<uint8_t>("gemma3n.attention.sliding_window_pattern", g_bool, {1, 0, 1, 0});
        if (wanted("gemma3n.attention.shared_kv_layers")) b.f32("gemma3n.attention.shared_kv_layers", n_shared);  // as early files have it
        u32("gemma3n.context_length", context);
        u32("gemma3n.feed_forward_length", ff);
        u32("gemma3n.embedding_length_per_layer_input", per_layer);
        u32("gemma3n.altup.num_inputs", n_streams);
        if (wanted("gemma3n.activation_sparsity_scale")) b.numbers<float>("gemma3n.activation_sparsity_scale", g_f32, {1.6448535f, -INFINITY, -INFINITY, -INFINITY});
    }
    static void tokens(GgufBuilder& b) {
        std::vector<std::string> text;
        std::vector<float> scores;
        std::vector<int32_t> types;
        for (const Piece& p : pieces()) {
            text.push_back(p.text);
            scores.push_back(p.score);
            types.push_back(p.type);
        }
        b.string("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", text);
        b.numbers("tokenizer.ggml.scores", g_f32, scores).numbers("tokenizer.ggml.token_type", g_i32, types);
        b.u32("tokenizer.ggml.bos_token_id", 2).u32("tokenizer.ggml.eos_token_id", 1).u32("tokenizer.ggml.eot_token_id", 5);
    }
    static std::string as_f32(const std::vector<float>& v) { return {reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float)}; }
    static std::string as_f16(const std::vector<float>& v) {
        std::string s;
        for (const float x : v) s += bytes_of(f32_to_f16(x));
        return s;
    }
    // Tables in f16, everything else in f32. Values of the stacks are those of the directory.
    static void weights(GgufBuilder& b, const std::function<bool(const std::string&)>& skip = {}) {
        for (const Tensor& t : tensors()) {
            if (skip && skip(t.gguf)) continue;
            std::vector<uint64_t> dims(t.shape.rbegin(), t.shape.rend());
            const bool table = t.gguf.find("token_embd") != std::string::npos;
            b.tensor(t.gguf, dims, table ? 1 : 0, table ? as_f16(t.values()) : as_f32(t.values()));
        }
        for (const auto& [gguf, hf] : {std::pair{"altup_proj.weight", "altup_projections.0.weight"}, {"altup_unembd_proj.weight", "altup_unembed_projections.0.weight"}}) {
            if (skip && skip(gguf)) continue;
            b.tensor(gguf, {hidden, hidden, n_streams - 1}, 0, as_f32(Tensor{hf, gguf, {hidden, hidden}}.values()));
        }
    }
    static std::string gguf() {
        GgufBuilder b;
        metadata(b);
        tokens(b);
        weights(b);
        return b.build();
    }
};

}  // namespace gemma3n::test
