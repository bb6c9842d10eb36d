#include "quant/hf_metadata.h"

#include "base/result.h"
#include "model/slices.h"

#include <algorithm>

namespace gemma3n::quant {

static uint32_t u32(int64_t v) { return static_cast<uint32_t>(v); }

static std::string prefix(const model::Config& c) { return c.family == model::Family::gemma3n ? "gemma3n." : "gemma3."; }

Status set_layers(format::GgufWriter& w, const model::Config& c) {
    const bool is_3n = c.family == model::Family::gemma3n;
    const std::string at = prefix(c);
    std::vector<int32_t> ff;
    std::vector<bool> sliding;
    std::vector<float> sparsity;
    int64_t n_shared = 0;
    for (int64_t l = 0; l < c.n_layers; l++) {
        const model::LayerConfig& layer = c.layers[static_cast<size_t>(l)];
        ff.push_back(static_cast<int32_t>(layer.ff));
        sliding.push_back(layer.sliding);
        sparsity.push_back(layer.sparsity_multiplier);
        n_shared += layer.kv_donor != l;
    }
    w.set(at + "block_count", u32(c.n_layers));
    if (std::all_of(ff.begin(), ff.end(), [&](int32_t f) { return f == ff[0]; })) w.set(at + "feed_forward_length", u32(ff[0]));
    else w.set(at + "feed_forward_length", ff);
    constexpr int64_t gemma3_period = 6;
    bool usual = !is_3n;
    for (int64_t l = 0; l < c.n_layers; l++) usual &= sliding[static_cast<size_t>(l)] == ((l + 1) % gemma3_period != 0);
    if (!usual) w.set(at + "attention.sliding_window_pattern", sliding);
    if (!is_3n) return {};
    w.set(at + "attention.shared_kv_layers", u32(n_shared));
    // a reader takes nothing above zero for "dense"
    for (const float s : sparsity) {
        if (s <= 0 && std::isfinite(s)) return fail(Code::unsupported, "config.json: an activation sparsity of 0.5 or less: a GGUF file cannot say it");
    }
    w.set(at + "activation_sparsity_scale", sparsity);
    return {};
}

Status set_network(format::GgufWriter& w, const model::Config& c) {
    const bool is_3n = c.family == model::Family::gemma3n;
    const std::string at = prefix(c);
    w.set("general.architecture", is_3n ? "gemma3n" : "gemma3");
    w.set("general.type", "model");
    w.set("general.name", c.name);
    w.set(at + "context_length", u32(c.context_length));
    w.set(at + "embedding_length", u32(c.hidden));
    w.set(at + "attention.head_count", u32(c.n_heads));
    w.set(at + "attention.head_count_kv", u32(c.n_kv_heads));
    w.set(at + "attention.key_length", u32(c.head_dim));
    w.set(at + "attention.value_length", u32(c.head_dim));
    w.set(at + "attention.layer_norm_rms_epsilon", c.norm_eps);
    w.set(at + "attention.sliding_window", u32(c.window));
    w.set(at + "rope.freq_base", c.rope_theta_global);
    if (c.rope_theta_local != 1e4f) w.set(at + "rope.freq_base_swa", c.rope_theta_local);
    if (c.rope_scale_global != 1) {
        w.set(at + "rope.scaling.type", "linear");
        w.set(at + "rope.scaling.factor", c.rope_scale_global);
    }
    if (c.final_softcap != 0 || is_3n) w.set(at + "final_logit_softcapping", c.final_softcap);
    TRY(set_layers(w, c));
    if (!c.slices.empty()) w.set(at + "slices", model::slices_to_json(c.slices));
    if (!is_3n) {
        const float usual_scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim)));
        if (c.attention_scale != usual_scale) w.set(at + "attention.scale", c.attention_scale);
        return {};
    }
    w.set(at + "altup.num_inputs", u32(c.n_streams));
    w.set(at + "altup.active_idx", u32(c.active_stream));
    if (!c.altup_correct_scale) w.set(at + "altup.correct_scale", false);
    w.set(at + "embedding_length_per_layer_input", u32(c.per_layer_width));
    w.set(at + "vocab_size_per_layer_input", u32(c.per_layer_vocab));
    return {};
}

}  // namespace gemma3n::quant
