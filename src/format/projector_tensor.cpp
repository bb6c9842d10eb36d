#include "format/projector_tensor.h"

namespace gemma3n::format {

namespace {

bool is_convolution(std::string_view name) { return name.starts_with("vision_tower."); }

bool is_matrix(std::string_view name, const std::vector<int64_t>& s) {
    if (name.ends_with("layer_scale.gamma") || name.ends_with(".bias")) return false;  // [1, C, 1, 1] is none
    return s.size() == 2 || (s.size() == 4 && s[2] == 1 && s[3] == 1 && s[1] > 1);
}

bool always_f32(std::string_view name) {
    const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
    return has("conv_stem.") || has("subsample_conv_projection.conv_") || has("depthwise_conv1d");
}

int64_t values(const std::vector<int64_t>& s) {
    int64_t n = 1;
    for (const int64_t d : s) n *= d;
    return n;
}

}  // namespace

ProjectorTensor in_projector(DType type, std::string_view name, const std::vector<int64_t>& shape) {
    if (is_matrix(name, shape)) {
        ProjectorTensor t{type, {shape[0], shape[1]}, shape[1], true};
        if (!is_quantised(type) && is_convolution(name)) t.shape = {shape[0], shape[1], 1, 1};
        return t;
    }
    const int64_t n = values(shape);
    if (name.ends_with("layer_scale.gamma") || name.ends_with("conv_stem.conv.bias")) return {type, {1, n, 1, 1}, n, false};
    return {type, shape, shape.size() == 1 ? n : n / shape[0], false};
}

ProjectorTensor in_projector(Mix mix, std::string_view name, const std::vector<int64_t>& shape) {
    const bool matrix = is_matrix(name, shape);
    const bool vector = !matrix && (shape.size() == 1 || name.ends_with("layer_scale.gamma") || name.ends_with(".bias"));
    if (vector || mix == Mix::f32 || always_f32(name)) return in_projector(DType::f32, name, shape);
    if (const auto plain = plain_type(mix)) return in_projector(*plain, name, shape);
    if (!matrix || name.ends_with(".embedding.weight")) return in_projector(DType::f16, name, shape);
    return in_projector(type_in_mix(mix, name, 2, shape[1], {}), name, shape);
}

}  // namespace gemma3n::format
