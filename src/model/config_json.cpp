// Config from a Hugging Face config.json: text_config nested or flat, old and new names of the rope fields, scalars or lists.
#include "format/names.h"
#include "model/config_sources.h"
#include "model/json_object.h"
#include "model/slices.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace gemma3n::model {

namespace {

using simdjson::dom::element;

Result<std::vector<bool>> sliding_layers(const Object& text, int64_t n_layers, int64_t default_period, const std::string& path) {
    std::vector<bool> sliding;
    if (const auto types = text.find("layer_types")) {
        simdjson::dom::array a;
        if (types->get(a)) return fail(Code::bad_file, "%s: 'layer_types' is not a list", path.c_str());
        for (const auto item : a) {
            std::string_view s;
            if (item.get(s) || (s != "sliding_attention" && s != "full_attention")) {
                return fail(Code::bad_file, "%s: 'layer_types' holds '%s': expected sliding_attention or full_attention", path.c_str(), shown(s).c_str());
            }
            sliding.push_back(s == "sliding_attention");
        }
        return sliding;
    }
    ASSIGN(int64_t period, text.count_or("sliding_window_pattern", default_period));
    ASSIGN(period, text.count_or("_sliding_window_pattern", period));
    for (int64_t l = 0; l < n_layers; l++) sliding.push_back(period <= 0 || (l + 1) % period != 0);
    return sliding;
}

// Old form: rope_theta, rope_local_base_freq, rope_scaling {rope_type, factor}. New: rope_parameters by layer type.
Status read_rope(const Object& text, Config& c, const std::string& path) {
    ASSIGN(c.rope_theta_global, text.real_or("rope_theta", 1e6));
    ASSIGN(c.rope_theta_local, text.real_or("rope_local_base_freq", 1e4));
    const auto scaling = [&](const Object& o, const char* subject) -> Status {
        const std::string type = o.string_or("rope_type", o.string_or("type", "default").c_str());
        if (type == "default") return {};
        if (type != "linear") return fail(Code::unsupported, "%s: %s has rope type '%s': expected default or linear", path.c_str(), subject, shown(type).c_str());
        ASSIGN(c.rope_scale_global, o.real_or("factor", 1));
        return {};
    };
    if (const auto old = text.object("rope_scaling")) TRY(scaling(*old, "rope_scaling"));
    if (const auto parameters = text.object("rope_parameters")) {
        if (const auto full = parameters->object("full_attention")) {
            ASSIGN(c.rope_theta_global, full->real_or("rope_theta", 1e6));
            TRY(scaling(*full, "rope_parameters.full_attention"));
        }
        if (const auto local = parameters->object("sliding_attention")) {
            ASSIGN(c.rope_theta_local, local->real_or("rope_theta", 1e4));
            if (const std::string type = local->string_or("rope_type", "default"); type != "default") {
                return fail(Code::unsupported, "%s: rope_parameters.sliding_attention has rope type '%s': expected default", path.c_str(), shown(type).c_str());
            }
        }
        if (!parameters->object("full_attention") && !parameters->object("sliding_attention")) {  // one set for all
            ASSIGN(c.rope_theta_global, parameters->real_or("rope_theta", c.rope_theta_global));
            TRY(scaling(*parameters, "rope_parameters"));
        }
    }
    return {};
}

// What changes the network and is not built: another value than the published one must not run as if it were that one.
Status check_variant(const Object& text, const std::string& path) {
    const std::string activation = text.string_or("hidden_activation", "gelu_pytorch_tanh");
    if (activation != "gelu_pytorch_tanh") {
        return fail(Code::unsupported, "%s: 'hidden_activation' is '%s': expected gelu_pytorch_tanh", path.c_str(), shown(activation).c_str());
    }
    for (const char* name : {"attention_bias", "use_bidirectional_attention"}) {
        bool on = false;
        if (const auto v = text.find(name); v && (v->get(on) || on)) return fail(Code::unsupported, "%s: '%s' is set: expected false", path.c_str(), name);
    }
    if (text.find("attn_logit_softcapping")) return fail(Code::unsupported, "%s: 'attn_logit_softcapping' is set: expected none", path.c_str());
    return {};
}

void add_end_ids(std::optional<element> v, std::vector<int>& eos) {
    if (!v) return;
    const auto add = [&](int64_t id) {
        if (id >= 0 && id < (1 << 30) && std::find(eos.begin(), eos.end(), id) == eos.end()) eos.push_back(static_cast<int>(id));
    };
    int64_t id;
    if (!v->get(id)) return add(id);
    simdjson::dom::array a;
    if (v->get(a)) return;
    for (const auto item : a)
        if (!item.get(id)) add(id);
}

}  // namespace

Result<Config> config_from_json(const format::Checkpoint& checkpoint) {
    const std::string path = checkpoint.path() + "/config.json";
    const std::string& json = checkpoint.config_json();
    simdjson::dom::parser parser;
    ASSIGN(const Object top, parse_object(parser, json, path));
    const Object text = top.object("text_config").value_or(top);
    const std::string type = text.string_or("model_type", top.string_or("model_type", "").c_str());

    Config c;
    if (type == "gemma3n" || type == "gemma3n_text") c.family = Family::gemma3n;
    else if (type == "gemma3" || type == "gemma3_text") c.family = Family::gemma3;
    else return fail(Code::unsupported, "%s: model_type is '%s': expected gemma3n, gemma3n_text, gemma3 or gemma3_text", path.c_str(), shown(type).c_str());
    const bool is_3n = c.family == Family::gemma3n;
    c.name = std::filesystem::path(checkpoint.path()).filename().string();

    TRY(check_variant(text, path));
    // what is missing has the reference's default: E4B for gemma3n, the class's own for gemma3
    ASSIGN(c.n_layers, text.count_or("num_hidden_layers", is_3n ? 35 : 26));
    ASSIGN(c.hidden, text.count_or("hidden_size", is_3n ? 2048 : 2304));
    ASSIGN(c.n_heads, text.count_or("num_attention_heads", 8));
    ASSIGN(c.n_kv_heads, text.count_or("num_key_value_heads", is_3n ? 2 : 4));
    ASSIGN(c.head_dim, text.count_or("head_dim", 256));
    ASSIGN(c.window, text.count_or("sliding_window", is_3n ? 512 : 4096));
    ASSIGN(c.context_length, text.count_or("max_position_embeddings", is_3n ? 32768 : 131072));
    ASSIGN(c.norm_eps, text.real_or("rms_norm_eps", 1e-6));
    TRY(read_rope(text, c, path));
    if (is_3n) {
        ASSIGN(c.final_softcap, text.real_or("final_logit_softcapping", 30));
        ASSIGN(c.n_streams, text.count_or("altup_num_inputs", 4));
        ASSIGN(c.active_stream, text.count_or("altup_active_idx", 0));
        ASSIGN(c.altup_coef_clip, text.real_or("altup_coef_clip", 120));
        bool correct_scale = true;
        if (const auto v = text.find("altup_correct_scale"); v && v->get(correct_scale)) return fail(Code::bad_file, "%s: 'altup_correct_scale' is not true or false", path.c_str());
        c.altup_correct_scale = correct_scale;
        ASSIGN(c.per_layer_width, text.count_or("hidden_size_per_layer_input", 256));
        ASSIGN(c.per_layer_vocab, text.count_or("vocab_size_per_layer_input", 262144));
    } else {
        ASSIGN(c.final_softcap, text.real_or("final_logit_softcapping", 0));
        ASSIGN(const float query_scalar, text.real_or("query_pre_attn_scalar", 256));
        if (!(query_scalar > 0)) return fail(Code::bad_file, "%s: 'query_pre_attn_scalar' is not positive", path.c_str());
        c.attention_scale = static_cast<float>(1 / std::sqrt(static_cast<double>(query_scalar)));
    }
    TRY(check_sizes(c, path));

    LayerLists lists;
    ASSIGN(lists.sliding, sliding_layers(text, c.n_layers, is_3n ? 5 : 6, path));
    ASSIGN(std::vector<double> ff, text.list("intermediate_size", c.n_layers));
    if (ff.empty()) ff.assign(static_cast<size_t>(c.n_layers), is_3n ? 16384 : 9216);
    for (const double w : ff) lists.ff.push_back(std::isfinite(w) && std::fabs(w) < 1e9 ? static_cast<int64_t>(w) : 0);
    if (is_3n) {
        ASSIGN(std::vector<double> sparsity, text.list("activation_sparsity_pattern", c.n_layers));
        if (sparsity.empty()) {
            for (int64_t l = 0; l < c.n_layers; l++) sparsity.push_back(c.n_layers > 10 && l < 10 ? 0.95 : 0);
        }
        for (const double s : sparsity) lists.sparsity_multiplier.push_back(sparsity_multiplier(s));
        ASSIGN(lists.n_shared, text.count_or("num_kv_shared_layers", 15));
    } else {
        lists.sparsity_multiplier.assign(static_cast<size_t>(c.n_layers), -INFINITY);
    }
    TRY(assign_layers(c, lists, path));
    if (const auto slices = top.find("slices")) {
        ASSIGN(c.slices, slices_from_json(simdjson::minify(*slices), c, path + ": slices"));
    }

    const format::TensorInfo* embed = checkpoint.find("embed_tokens.weight");
    c.vocab = embed ? embed->rows : 0;
    ASSIGN(const int64_t bos, text.count_or("bos_token_id", 2));
    c.bos = static_cast<int>(bos);
    add_end_ids(top.find("eos_token_id"), c.eos);
    add_end_ids(text.find("eos_token_id"), c.eos);
    const auto generation = checkpoint.side_file("generation_config.json");
    if (!generation && generation.error().code != Code::not_found) return generation.error();
    if (generation) {
        simdjson::dom::parser p;
        element g, eos;
        if (const auto e = p.parse(*generation).get(g)) {
            return fail(Code::bad_file, "%s/generation_config.json: is not valid JSON: %s", checkpoint.path().c_str(), simdjson::error_message(e));
        }
        if (!g["eos_token_id"].get(eos)) add_end_ids(eos, c.eos);
    }
    if (c.vocab >= 262144) {  // the published vocabulary: one file forgets 106, the others do not
        for (const int id : {1, 106})
            if (std::find(c.eos.begin(), c.eos.end(), id) == c.eos.end()) c.eos.push_back(id);
    }
    return c;
}

}  // namespace gemma3n::model
