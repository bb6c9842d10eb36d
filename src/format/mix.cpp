#include "format/mix.h"

#include <charconv>

namespace gemma3n::format {

namespace {

struct Known {
    std::string_view name;
    int file_type;
};
constexpr Known known[] = {{"f32", 0},     {"f16", 1},     {"bf16", 32},   {"q8_0", 7},    {"q4_0", 2},  {"q4_1", 3},    {"q5_0", 8},    {"q5_1", 9},   {"q2_k", 10},
                           {"q3_k_m", 12}, {"q4_k_s", 14}, {"q4_k_m", 15}, {"q5_k_s", 16}, {"q5_k_m", 17}, {"q6_k", 18}, {"iq4_nl", 25}, {"iq4_xs", 30}};

bool has(std::string_view s, std::string_view part) { return s.find(part) != std::string_view::npos; }

int64_t layer_of(std::string_view name) {
    constexpr std::string_view prefix = "layers.";
    int64_t layer = -1;
    if (name.starts_with(prefix)) std::from_chars(name.data() + prefix.size(), name.data() + name.size(), layer);
    return layer;
}

// Layers at both ends, and every third between, are worth more bits.
bool wants_more_bits(int64_t layer, int64_t n) { return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2; }

DType of_32(DType type) {
    switch (type) {
        case DType::q2_k:
        case DType::q3_k: return DType::q4_0;
        case DType::q4_k: return DType::q5_0;
        case DType::q5_k: return DType::q5_1;
        case DType::q6_k: return DType::q8_0;
        case DType::iq4_xs: return DType::iq4_nl;
        default: return type;
    }
}

DType fitting(DType type, int64_t cols) {
    if (cols % info(type).block == 0) return type;
    type = of_32(type);
    return cols % info(type).block == 0 ? type : DType::f16;
}

DType matrix_type(Mix mix, std::string_view name, const Layers& layers) {
    const bool values = has(name, "v_proj"), down = has(name, "down_proj"), out = has(name, "o_proj");
    const int64_t layer = layer_of(name);
    const bool more = (values || down) && wants_more_bits(layer, layers.n), early = layer < layers.n / 8;
    const bool shared = values && layers.heads_per_kv >= 4, guided = down && early && layers.has_importance;
    switch (mix) {
        case Mix::f32: return DType::f32;
        case Mix::f16: return DType::f16;
        case Mix::bf16: return DType::bf16;
        case Mix::q8_0: return DType::q8_0;
        case Mix::q4_0: return guided ? DType::q4_1 : DType::q4_0;
        case Mix::q4_1: return DType::q4_1;
        case Mix::q5_0: return guided ? DType::q5_1 : DType::q5_0;
        case Mix::q5_1: return DType::q5_1;
        case Mix::q2_k: return shared ? DType::q4_k : values || down || out ? DType::q3_k : DType::q2_k;
        case Mix::q3_k_m:
            if ((values && layer < 2) || (down && layer < layers.n / 16)) return DType::q5_k;
            return values || down || out ? DType::q4_k : DType::q3_k;
        case Mix::q4_k_s: return (values && layer < 4) || (down && early) ? DType::q5_k : DType::q4_k;
        case Mix::q4_k_m: return more ? DType::q6_k : DType::q4_k;
        case Mix::q5_k_s: return DType::q5_k;
        case Mix::q5_k_m: return more ? DType::q6_k : DType::q5_k;
        case Mix::q6_k: return DType::q6_k;
        case Mix::iq4_nl: return (down && early && !guided) || shared ? DType::q5_k : DType::iq4_nl;
        case Mix::iq4_xs: return (down && early && !guided) || shared ? DType::q5_k : DType::iq4_xs;
    }
    return DType::f32;
}

}  // namespace

std::optional<Mix> mix_from_name(std::string_view name) {
    for (size_t i = 0; i < std::size(known); i++)
        if (known[i].name == name) return static_cast<Mix>(i);
    return std::nullopt;
}

std::string mix_names() {
    std::string s;
    for (const Known& k : known) s += (s.empty() ? "" : &k == std::end(known) - 1 ? " or " : ", ") + std::string(k.name);
    return s;
}

std::string_view name(Mix mix) { return known[static_cast<size_t>(mix)].name; }
int gguf_file_type(Mix mix) { return known[static_cast<size_t>(mix)].file_type; }

std::optional<DType> plain_type(Mix mix) {
    switch (mix) {
        case Mix::f32: return DType::f32;
        case Mix::f16: return DType::f16;
        case Mix::bf16: return DType::bf16;
        default: return std::nullopt;
    }
}

bool is_always_f32(std::string_view name, int64_t n_dims) { return n_dims == 1 || name.ends_with("norm.weight") || name.ends_with("_coefs.weight"); }

bool stays_plain(std::string_view name) { return has(name, "altup") || has(name, "laurel") || has(name, "per_layer_model_projection"); }

DType type_in_mix(Mix mix, std::string_view name, int64_t n_dims, int64_t cols, const Layers& layers) {
    if (mix == Mix::f32 || is_always_f32(name, n_dims)) return DType::f32;
    if (const auto plain = plain_type(mix)) return *plain;
    if (stays_plain(name)) return DType::f16;
    if (name.starts_with("embed_tokens") || name == "lm_head.weight") return fitting(mix == Mix::q8_0 ? DType::q8_0 : DType::q6_k, cols);
    return fitting(matrix_type(mix, name, layers), cols);
}

}  // namespace gemma3n::format
