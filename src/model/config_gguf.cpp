// Config from GGUF metadata: keys "<architecture>.<name>". Counts may be stored as any integer or float type.
#include "format/names.h"
#include "format/projector.h"
#include "model/config_sources.h"
#include "model/gguf_keys.h"
#include "model/slices.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace gemma3n::model {

namespace {

// sliding_window_pattern: a list (true = sliding), a period (every n-th layer is global), or absent (the family's period).
std::vector<bool> sliding_layers(const Keys& keys, int64_t n_layers, int64_t period) {
    if (const format::MetaValue* v = keys.find("attention.sliding_window_pattern")) {
        if (const auto* list = std::get_if<std::vector<int64_t>>(v)) return {list->begin(), list->end()};
        if (const auto* one = std::get_if<int64_t>(v)) period = *one;
    }
    std::vector<bool> sliding;
    for (int64_t l = 0; l < n_layers; l++) sliding.push_back(period <= 0 || (l + 1) % period != 0);
    return sliding;
}

std::vector<int> end_ids(const format::Checkpoint& c, bool published) {
    std::vector<int> eos;
    const auto add = [&](int64_t id) {
        if (id >= 0 && id < (1 << 30) && std::find(eos.begin(), eos.end(), id) == eos.end()) eos.push_back(static_cast<int>(id));
    };
    const Keys keys(c, "tokenizer.ggml.");
    for (const char* name : {"eos_token_id", "eot_token_id"}) {
        if (const auto v = keys.number(name); v && std::isfinite(*v) && std::fabs(*v) < 1e9) add(static_cast<int64_t>(*v));
    }
    if (const format::MetaValue* v = keys.find("eos_token_ids")) {  // as Ollama writes several
        if (const auto* ids = std::get_if<std::vector<int64_t>>(v))
            for (const int64_t id : *ids) add(id);
    }
    if (published) add(1), add(106);
    return eos;
}

}  // namespace

Result<Config> config_from_gguf(const format::Checkpoint& checkpoint) {
    const std::string& path = checkpoint.path();
    const std::string* architecture = checkpoint.text("general.architecture");
    if (!architecture) return fail(Code::bad_file, "%s: metadata key 'general.architecture' is missing", path.c_str());
    if (format::is_projector(checkpoint)) {
        return fail(Code::unsupported, "%s: is a projector file, which holds vision and audio towers and no text model: expected the model's own .gguf, with this one beside it", path.c_str());
    }
    if (*architecture != "gemma3n" && *architecture != "gemma3") {
        return fail(Code::unsupported, "%s: its architecture is '%s': expected gemma3n or gemma3", path.c_str(), shown(*architecture).c_str());
    }
    const Keys keys(checkpoint, *architecture + ".");
    Config c;
    c.family = *architecture == "gemma3n" ? Family::gemma3n : Family::gemma3;
    const bool is_3n = c.family == Family::gemma3n;
    const std::string* given = checkpoint.text("general.name");
    c.name = given ? shown(*given) : std::filesystem::path(path).stem().string();

    ASSIGN(c.n_layers, keys.count("block_count"));
    ASSIGN(c.hidden, keys.count("embedding_length"));
    ASSIGN(c.n_heads, keys.count("attention.head_count"));
    ASSIGN(c.n_kv_heads, keys.count_or("attention.head_count_kv", c.n_heads));
    ASSIGN(const int64_t head_dim, keys.count_or("head_dim", 256));
    ASSIGN(c.head_dim, keys.count_or("attention.key_length", head_dim));
    ASSIGN(const int64_t value_length, keys.count_or("attention.value_length", c.head_dim));
    if (value_length != c.head_dim) {
        return fail(Code::unsupported, "%s: values of %lld beside keys of %lld: expected equal sizes", path.c_str(), static_cast<long long>(value_length),
                    static_cast<long long>(c.head_dim));
    }
    ASSIGN(c.window, keys.count_or("attention.sliding_window", 512));
    ASSIGN(c.context_length, keys.count_or("context_length", 32768));
    c.norm_eps = keys.real_or("attention.layer_norm_rms_epsilon", 1e-6);
    c.rope_theta_global = keys.real_or("rope.freq_base", 1e6);
    c.rope_theta_local = keys.real_or("rope.freq_base_swa", keys.number("rope.freq_base_local").value_or(1e4));
    if (const format::MetaValue* v = keys.find("rope.scaling.type")) {
        const auto* type = std::get_if<std::string>(v);
        if (!type || (*type != "linear" && *type != "none")) {
            return fail(Code::unsupported, "%s: its rope scaling is '%s': expected linear or none", path.c_str(), type ? shown(*type).c_str() : "not a name");
        }
        if (*type == "linear") c.rope_scale_global = keys.real_or("rope.scaling.factor", 1);
    } else {
        c.rope_scale_global = keys.real_or("rope.scaling.factor", 1);
    }
    c.final_softcap = keys.real_or("final_logit_softcapping", is_3n ? 30 : 0);
    if (is_3n) {
        ASSIGN(c.n_streams, keys.count_or("altup.num_inputs", 4));
        ASSIGN(c.active_stream, keys.count_or("altup.active_idx", 0));
        ASSIGN(c.per_layer_width, keys.count("embedding_length_per_layer_input"));
        ASSIGN(c.per_layer_vocab, keys.count_or("vocab_size_per_layer_input", 0));  // 0: from the table's rows
        c.altup_coef_clip = 120;
        c.altup_correct_scale = keys.number("altup.correct_scale").value_or(1) != 0;
    } else {
        const double scale = keys.number("attention.scale").value_or(0);
        c.attention_scale = scale > 0 ? static_cast<float>(scale) : static_cast<float>(1 / std::sqrt(static_cast<double>(std::max<int64_t>(c.head_dim, 1))));
        // 27B: the query scale is that of 168 = hidden / heads, not of the head size
        if (c.hidden == 5376 && c.n_layers == 62) c.attention_scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.hidden) / static_cast<double>(c.n_heads)));
    }
    TRY(check_sizes(c, path));

    LayerLists lists;
    lists.sliding = sliding_layers(keys, c.n_layers, is_3n ? 5 : 6);
    ASSIGN(const std::vector<double> ff, keys.list("feed_forward_length", c.n_layers));
    for (const double w : ff) lists.ff.push_back(std::isfinite(w) && std::fabs(w) < 1e9 ? static_cast<int64_t>(w) : 0);
    lists.sparsity_multiplier.assign(static_cast<size_t>(c.n_layers), -INFINITY);
    if (is_3n) {
        if (keys.find("activation_sparsity_scale")) {  // already the quantile; -inf or nothing above 0 means dense
            ASSIGN(const std::vector<double> scale, keys.list("activation_sparsity_scale", c.n_layers));
            lists.sparsity_multiplier.clear();
            for (const double s : scale) lists.sparsity_multiplier.push_back(std::isfinite(s) && s > 0 ? static_cast<float>(s) : -INFINITY);
        } else {
            for (int64_t l = 0; l < c.n_layers; l++) lists.sparsity_multiplier[l] = c.n_layers > 10 && l < 10 ? sparsity_multiplier(0.95) : -INFINITY;
        }
        ASSIGN(lists.n_shared, keys.count_or("attention.shared_kv_layers", c.n_layers == 35 ? 15 : c.n_layers == 30 ? 10 : 0));
    }
    TRY(assign_layers(c, lists, path));
    if (const format::MetaValue* v = keys.find("slices")) {
        const auto* json = std::get_if<std::string>(v);
        if (!json) return fail(Code::bad_file, "%s: metadata key '%s.slices' is not a text", path.c_str(), architecture->c_str());
        ASSIGN(c.slices, slices_from_json(*json, c, path + ": " + *architecture + ".slices"));
    }

    const format::TensorInfo* embed = checkpoint.find("embed_tokens.weight");
    c.vocab = embed ? embed->rows : 0;  // the loader asks for the tensor by name
    c.eos = end_ids(checkpoint, c.vocab >= 262144);
    const Keys tokenizer(checkpoint, "tokenizer.ggml.");
    ASSIGN(const int64_t bos, tokenizer.count_or("bos_token_id", 2));
    c.bos = static_cast<int>(bos);
    return c;
}

}  // namespace gemma3n::model
