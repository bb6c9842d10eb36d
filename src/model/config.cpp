#include "model/config.h"

#include "model/config_sources.h"

#include <cmath>

namespace gemma3n::model {

namespace {

long long ll(int64_t v) { return static_cast<long long>(v); }

Status in_range(const std::string& path, const char* what, int64_t v, int64_t low, int64_t high) {
    if (v >= low && v <= high) return {};
    return fail(Code::bad_file, "%s: %s is %lld: expected %lld to %lld", path.c_str(), what, ll(v), ll(low), ll(high));
}

Status finite_positive(const std::string& path, const char* what, float v) {
    if (std::isfinite(v) && v > 0) return {};
    return fail(Code::bad_file, "%s: %s is %g: expected a positive number", path.c_str(), what, static_cast<double>(v));
}

}  // namespace

Status check_sizes(const Config& c, const std::string& path) {
    TRY(in_range(path, "the number of layers", c.n_layers, 1, 4096));
    TRY(in_range(path, "the hidden size", c.hidden, 1, 1 << 20));
    TRY(in_range(path, "the number of attention heads", c.n_heads, 1, 4096));
    TRY(in_range(path, "the number of key-value heads", c.n_kv_heads, 1, c.n_heads));
    TRY(in_range(path, "the head size", c.head_dim, 2, 4096));
    TRY(in_range(path, "the sliding window", c.window, 1, 1 << 24));
    TRY(in_range(path, "the context length", c.context_length, 1, 1 << 28));
    if (c.n_heads % c.n_kv_heads != 0) {
        return fail(Code::bad_file, "%s: %lld attention heads over %lld key-value heads: expected a multiple", path.c_str(), ll(c.n_heads), ll(c.n_kv_heads));
    }
    if (c.head_dim % 2 != 0) return fail(Code::bad_file, "%s: the head size is %lld: expected an even number, for the rotation", path.c_str(), ll(c.head_dim));
    TRY(finite_positive(path, "the norm epsilon", c.norm_eps));
    TRY(finite_positive(path, "the global rope theta", c.rope_theta_global));
    TRY(finite_positive(path, "the local rope theta", c.rope_theta_local));
    TRY(finite_positive(path, "the rope scaling factor", c.rope_scale_global));
    TRY(finite_positive(path, "the attention scale", c.attention_scale));
    if (!std::isfinite(c.final_softcap) || c.final_softcap < 0) {
        return fail(Code::bad_file, "%s: the final soft cap is %g: expected a positive number, or none", path.c_str(), static_cast<double>(c.final_softcap));
    }
    if (c.family != Family::gemma3n) return {};
    TRY(in_range(path, "the number of AltUp inputs", c.n_streams, 1, 16));
    TRY(in_range(path, "the active AltUp input", c.active_stream, 0, c.n_streams - 1));
    TRY(in_range(path, "the per-layer input size", c.per_layer_width, 1, 1 << 16));
    TRY(in_range(path, "the per-layer vocabulary", c.per_layer_vocab, 0, 1 << 30));
    return {};
}

Status assign_layers(Config& c, const LayerLists& lists, const std::string& path) {
    const auto length = [&](const char* what, size_t n) -> Status {
        if (static_cast<int64_t>(n) == c.n_layers) return {};
        return fail(Code::bad_file, "%s: %s lists %zu layers: the model has %lld", path.c_str(), what, n, ll(c.n_layers));
    };
    TRY(length("the layer types", lists.sliding.size()));
    TRY(length("the feed-forward widths", lists.ff.size()));
    TRY(length("the activation sparsity", lists.sparsity_multiplier.size()));
    TRY(in_range(path, "the number of layers that share keys and values", lists.n_shared, 0, c.n_layers - 1));
    const int64_t first_shared = c.n_layers - lists.n_shared;
    int last_sliding = -1, last_global = -1;
    c.layers.clear();
    for (int64_t l = 0; l < c.n_layers; l++) {
        TRY(in_range(path, "a feed-forward width", lists.ff[l], 1, 1 << 24));
        LayerConfig layer{lists.sliding[l], lists.ff[l], lists.sparsity_multiplier[l], static_cast<int>(l)};
        int& last = layer.sliding ? last_sliding : last_global;
        if (l < first_shared) {
            last = static_cast<int>(l);
        } else if (last < 0) {
            return fail(Code::bad_file, "%s: layer %lld reads the keys and values of a %s layer below layer %lld, and there is none", path.c_str(), ll(l),
                        layer.sliding ? "sliding" : "global", ll(first_shared));
        } else {
            layer.kv_donor = last;
        }
        c.layers.push_back(layer);
    }
    return {};
}

float sparsity_multiplier(double sparsity) {
    if (!(sparsity > 0)) return -INFINITY;
    if (sparsity >= 1) return INFINITY;
    double low = -40, high = 40;  // the normal distribution's quantile by bisection: exact to the last bit of a float
    for (int i = 0; i < 200; i++) {
        const double m = (low + high) / 2;
        (0.5 * std::erfc(-m / M_SQRT2) < sparsity ? low : high) = m;
    }
    return static_cast<float>((low + high) / 2);
}

double sparsity(float multiplier) { return 0.5 * std::erfc(-static_cast<double>(multiplier) / M_SQRT2); }

Result<Config> read_config(const format::Checkpoint& checkpoint) {
    return checkpoint.container() == format::Container::gguf ? config_from_gguf(checkpoint) : config_from_json(checkpoint);
}

}  // namespace gemma3n::model
