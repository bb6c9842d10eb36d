#include "quant/hf_config.h"

#include "base/result.h"
#include "model/config_sources.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace gemma3n::quant {

namespace {

using simdjson::dom::element;

template <class F>
std::string list(const model::Config& c, F value) {
    std::string s;
    for (const model::LayerConfig& l : c.layers) s += (s.empty() ? "" : ", ") + value(l);
    return "[" + s + "]";
}

// The probability whose normal quantile the multiplier is.
std::string sparsity(float multiplier) {
    if (multiplier == -INFINITY) return "0.0";
    for (const double usual : {0.95, 0.9, 0.99, 0.8, 0.75, 0.5}) {  // as somebody wrote it, where that gives the same multiplier
        if (std::fabs(model::sparsity_multiplier(usual) - multiplier) < 1e-6f) return text("%g", usual);
    }
    return text("%.17g", model::sparsity(multiplier));
}

// The shortest that is read as the same float; with a point or an exponent, for a reader that tells 30 from 30.0.
std::string real(float v) {
    char s[32];
    const std::string_view shortest(s, static_cast<size_t>(std::to_chars(s, s + sizeof s, v).ptr - s));
    return std::string(shortest) + (shortest.find_first_of(".e") == std::string_view::npos ? ".0" : "");
}

int64_t n_shared(const model::Config& c) {
    int64_t n = 0;
    for (int l = 0; l < c.n_layers; l++) n += !c.owns_kv(l);
    return n;
}

// What the layers of a slice say, by field of text_config.
std::map<std::string, std::string> layer_fields(const model::Config& c) {
    std::map<std::string, std::string> f;
    f["num_hidden_layers"] = std::to_string(c.n_layers);
    const bool equal = std::all_of(c.layers.begin(), c.layers.end(), [&](const model::LayerConfig& l) { return l.ff == c.layers[0].ff; });
    f["intermediate_size"] = equal && c.family == model::Family::gemma3 ? std::to_string(c.layers[0].ff) : list(c, [](const model::LayerConfig& l) { return std::to_string(l.ff); });
    f["layer_types"] = list(c, [](const model::LayerConfig& l) { return std::string(l.sliding ? "\"sliding_attention\"" : "\"full_attention\""); });
    if (c.family == model::Family::gemma3) return f;
    f["num_kv_shared_layers"] = std::to_string(n_shared(c));
    f["activation_sparsity_pattern"] = list(c, [](const model::LayerConfig& l) { return sparsity(l.sparsity_multiplier); });
    return f;
}

// The object's fields in their order, those of `changed` with new values (added where they are missing), `left_out` without.
std::string edited(const simdjson::dom::object& o, std::map<std::string, std::string> changed, std::string_view left_out, const std::string& indent) {
    std::string s;
    const auto add = [&](std::string_view key, const std::string& value) {
        s += (s.empty() ? "" : ",\n") + indent + "  \"" + std::string(key) + "\": " + value;
    };
    for (const auto field : o) {
        const auto it = changed.find(std::string(field.key));
        if (field.key == left_out) continue;
        add(field.key, it == changed.end() ? simdjson::minify(field.value) : it->second);
        if (it != changed.end()) changed.erase(it);
    }
    for (const auto& [key, value] : changed) add(key, value);
    return "{\n" + s + "\n" + indent + "}";
}

}  // namespace

Result<std::string> cut_config_json(const format::Checkpoint& checkpoint, const model::Config& sliced) {
    simdjson::dom::parser parser;
    simdjson::dom::object top, nested;
    if (parser.parse(checkpoint.config_json()).get(top)) return fail(Code::bad_file, "%s/config.json: is not a JSON object", checkpoint.path().c_str());
    const auto fields = layer_fields(sliced);
    if (top["text_config"].get(nested)) return edited(top, fields, "slices", "") + "\n";
    return edited(top, {{"text_config", edited(nested, fields, "slices", "  ")}}, "slices", "") + "\n";
}

Result<std::string> make_config_json(const format::Checkpoint& checkpoint, const model::Config& c, DType type) {
    if (c.family != model::Family::gemma3n) return fail(Code::unsupported, "%s: is a Gemma 3: only a Gemma 3n file becomes a Hugging Face directory", checkpoint.path().c_str());
    std::string s = "{\n  \"architectures\": [\"Gemma3nForCausalLM\"],\n  \"model_type\": \"gemma3n_text\"";
    const auto add = [&](const char* key, const std::string& value) { s += std::string(",\n  \"") + key + "\": " + value; };
    const auto number = [](int64_t v) { return std::to_string(v); };
    add("torch_dtype", type == DType::f32 ? "\"float32\"" : type == DType::f16 ? "\"float16\"" : "\"bfloat16\"");
    add("hidden_size", number(c.hidden));
    add("num_attention_heads", number(c.n_heads));
    add("num_key_value_heads", number(c.n_kv_heads));
    add("head_dim", number(c.head_dim));
    add("vocab_size", number(c.vocab));
    add("vocab_size_per_layer_input", number(c.per_layer_vocab));
    add("hidden_size_per_layer_input", number(c.per_layer_width));
    add("sliding_window", number(c.window));
    add("max_position_embeddings", number(c.context_length));
    add("rope_theta", real(c.rope_theta_global));
    add("rope_local_base_freq", real(c.rope_theta_local));
    add("rope_scaling", c.rope_scale_global == 1 ? "null" : "{\"rope_type\": \"linear\", \"factor\": " + real(c.rope_scale_global) + "}");
    add("rms_norm_eps", real(c.norm_eps));
    add("hidden_activation", "\"gelu_pytorch_tanh\"");
    add("attention_bias", "false");
    add("attention_dropout", "0.0");
    add("final_logit_softcapping", c.final_softcap == 0 ? "null" : real(c.final_softcap));
    add("altup_num_inputs", number(c.n_streams));
    add("altup_active_idx", number(c.active_stream));
    add("altup_coef_clip", c.altup_coef_clip == 0 ? "null" : real(c.altup_coef_clip));
    add("altup_correct_scale", c.altup_correct_scale ? "true" : "false");
    add("laurel_rank", number(c.laurel_rank));
    add("tie_word_embeddings", checkpoint.find("lm_head.weight") ? "false" : "true");
    for (const auto& [key, value] : layer_fields(c)) add(key.c_str(), value);
    std::string eos;
    for (const int id : c.eos) eos += (eos.empty() ? "" : ", ") + std::to_string(id);
    add("eos_token_id", "[" + eos + "]");
    add("bos_token_id", number(c.bos));
    add("pad_token_id", number(c.pad));
    return s + "\n}\n";
}

}  // namespace gemma3n::quant
