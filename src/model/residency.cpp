#include "model/residency.h"

#include "format/names.h"

#include <cstdlib>

namespace gemma3n::model {

std::string_view name(TensorClass c) {
    constexpr std::string_view names[n_tensor_classes] = {"core", "head", "per-layer table", "vision tower", "audio tower", "unused"};
    return names[static_cast<int>(c)];
}

TensorClass class_of(const format::TensorInfo& t, const Config& config) {
    const std::string_view n = t.name;
    if (n == "embed_tokens.weight" || n == "lm_head.weight") return TensorClass::head;
    if (n == "embed_tokens_per_layer.weight") return TensorClass::per_layer;
    if (format::is_tower(n)) return n.starts_with("audio_tower.") || n.starts_with("embed_audio.") ? TensorClass::audio : TensorClass::vision;
    constexpr std::string_view globals[] = {"norm.weight", "per_layer_model_projection.weight", "per_layer_projection_norm.weight"};
    for (const auto g : globals)
        if (n == g) return TensorClass::core;
    if (n.starts_with("altup_projections.") || n.starts_with("altup_unembed_projections.")) return TensorClass::core;
    if (!n.starts_with("layers.")) return TensorClass::unused;
    const int64_t layer = std::atoll(t.name.c_str() + 7);
    if (layer < 0 || layer >= config.n_layers) return TensorClass::unused;
    const bool kv = n.ends_with(".k_proj.weight") || n.ends_with(".v_proj.weight") || n.ends_with(".k_norm.weight");
    return kv && !config.owns_kv(static_cast<int>(layer)) ? TensorClass::unused : TensorClass::core;
}

std::vector<ClassBytes> bytes_by_class(const format::Checkpoint& checkpoint, const Config& config) {
    ClassBytes sums[n_tensor_classes];
    for (int i = 0; i < n_tensor_classes; i++) sums[i].tensor_class = static_cast<TensorClass>(i);
    for (const format::TensorInfo& t : checkpoint.tensors()) {
        ClassBytes& s = sums[static_cast<int>(class_of(t, config))];
        s.file_bytes += t.bytes;
        s.parameters += static_cast<uint64_t>(t.rows) * static_cast<uint64_t>(t.cols);
        if (s.tensor_class == TensorClass::core || s.tensor_class == TensorClass::head || is_tower(s.tensor_class)) s.resident_bytes += t.bytes;
    }
    std::vector<ClassBytes> out;
    for (const ClassBytes& s : sums)
        if (s.file_bytes) out.push_back(s);
    return out;
}

void advise(const format::Checkpoint& checkpoint, const Config& config, TensorClass c, Advice advice) {
    for (const format::TensorInfo& t : checkpoint.tensors()) {
        if (class_of(t, config) == c) checkpoint.files()[static_cast<size_t>(t.file)]->advise(t.offset, t.bytes, advice);
    }
}

}  // namespace gemma3n::model
