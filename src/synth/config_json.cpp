#include "synth/config_json.h"

#include "base/result.h"
#include "synth/json_fields.h"

namespace gemma3n::synth {

namespace {

std::string eos_ids(const Vocabulary& v) { return text("[%d, %d]", eos_id, v.end_of_turn); }

void common(Fields& f, const Shape& s) {
    f.number("hidden_size", s.hidden).number("num_hidden_layers", s.n_layers).number("num_attention_heads", s.n_heads);
    f.number("num_key_value_heads", s.n_kv_heads).number("head_dim", s.head_dim).number("vocab_size", s.vocab);
    f.number("sliding_window", s.window).number("max_position_embeddings", s.context_length);
    f.list("layer_types", s.n_layers, [&](int64_t l) { return s.sliding(l) ? "\"sliding_attention\"" : "\"full_attention\""; });
    f.raw("rope_theta", "1000000.0").raw("rope_local_base_freq", "10000.0");
    f.raw("rope_scaling", s.rope_scale == 1 ? "null" : text("{\"factor\": %lld.0, \"rope_type\": \"linear\"}", static_cast<long long>(s.rope_scale)));
    f.raw("rms_norm_eps", "1e-06").string("hidden_activation", "gelu_pytorch_tanh").raw("attention_bias", "false").raw("attention_dropout", "0.0");
    f.raw("tie_word_embeddings", "true").raw("initializer_range", "0.02").raw("use_cache", "true");
    f.number("pad_token_id", pad_id).number("bos_token_id", bos_id);
}

}  // namespace

std::string config_json(const Shape& s, const Vocabulary& v, DType type, bool towers) {
    const char* dtype = type == DType::f32 ? "float32" : type == DType::f16 ? "float16" : "bfloat16";
    if (!s.is_3n) {
        Fields f(2);
        f.raw("architectures", "[\"Gemma3ForCausalLM\"]").string("model_type", "gemma3_text").string("torch_dtype", dtype);
        common(f, s);
        f.number("intermediate_size", s.ff).number("query_pre_attn_scalar", s.head_dim).number("sliding_window_pattern", s.period);
        f.raw("eos_token_id", eos_ids(v)).raw("final_logit_softcapping", "null").raw("attn_logit_softcapping", "null");
        return f.object() + "\n";
    }
    Fields t(4);
    t.string("model_type", "gemma3n_text");
    common(t, s);
    t.list("intermediate_size", s.n_layers, [&](int64_t) { return std::to_string(s.ff); });
    t.number("vocab_size_per_layer_input", s.text_vocab).number("hidden_size_per_layer_input", s.per_layer_width);
    t.number("altup_num_inputs", s.n_streams).number("altup_active_idx", 0).raw("altup_coef_clip", "120.0").raw("altup_correct_scale", "true");
    t.number("laurel_rank", s.laurel_rank).number("num_kv_shared_layers", s.n_shared);
    t.list("activation_sparsity_pattern", s.n_layers, [&](int64_t l) { return s.sparse(l) ? "0.95" : "0.0"; });
    t.raw("final_logit_softcapping", "30.0").number("eos_token_id", eos_id).string("torch_dtype", dtype);
    const MediaIds m = media_ids(s);
    Fields f(2);
    if (!s.slices.empty()) f.raw("slices", slices_json(s));
    f.raw("architectures", "[\"Gemma3nForConditionalGeneration\"]").string("model_type", "gemma3n").string("torch_dtype", dtype);
    if (towers) f.raw("vision_config", vision_config_json(s)).raw("audio_config", audio_config_json(s));
    f.raw("text_config", t.object()).raw("eos_token_id", eos_ids(v)).raw("initializer_range", "0.02");
    f.number("vision_soft_tokens_per_image", s.vision->soft_tokens).number("audio_soft_tokens_per_image", s.audio->soft_tokens);
    f.number("boi_token_id", m.begin_image).number("eoi_token_id", m.end_image).number("image_token_id", m.image);
    f.number("boa_token_id", m.begin_audio).number("eoa_token_id", m.end_audio).number("audio_token_id", m.audio);
    return f.object() + "\n";
}

std::string generation_config_json(const Vocabulary& v) {
    Fields f(2);
    f.number("bos_token_id", bos_id).raw("eos_token_id", eos_ids(v)).number("pad_token_id", pad_id).raw("do_sample", "true").number("top_k", 64).raw("top_p", "0.95");
    return f.object() + "\n";
}

std::string tokenizer_config_json() {
    Fields f(2);
    f.string("tokenizer_class", "GemmaTokenizer").string("bos_token", "<bos>").string("eos_token", "<eos>").string("pad_token", "<pad>").string("unk_token", "<unk>");
    f.raw("add_bos_token", "true").raw("add_eos_token", "false").raw("clean_up_tokenization_spaces", "false");
    return f.object() + "\n";
}

}  // namespace gemma3n::synth
