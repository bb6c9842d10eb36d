// Classes of tensors by how they live in memory, in one place: bytes of each, and advice for each.
#pragma once

#include "format/checkpoint.h"
#include "model/config.h"

#include <string_view>
#include <vector>

namespace gemma3n::model {

enum class TensorClass {
    core,       // read for every token
    head,       // token embedding and the head that is tied to it
    per_layer,  // per-layer embedding table: read by row, never resident
    vision,     // the vision tower and its embedder: read for pictures
    audio,      // the audio tower and its embedder: read for sound
    unused,     // keys and values of layers that read a donor's cache, and tensors no one knows
};
inline constexpr int n_tensor_classes = 6;
inline constexpr TensorClass always_read[] = {TensorClass::core, TensorClass::head};  // resident once a step has run
inline bool is_tower(TensorClass c) { return c == TensorClass::vision || c == TensorClass::audio; }
std::string_view name(TensorClass c);

TensorClass class_of(const format::TensorInfo& t, const Config& config);

struct ClassBytes {
    TensorClass tensor_class;
    uint64_t file_bytes = 0, resident_bytes = 0, parameters = 0;
};
// `resident_bytes` of towers are those of use. Classes that the checkpoint has, in the order of the enum.
std::vector<ClassBytes> bytes_by_class(const format::Checkpoint& checkpoint, const Config& config);

// Read ahead, or give back, the pages of a class.
void advise(const format::Checkpoint& checkpoint, const Config& config, TensorClass c, Advice advice);

}  // namespace gemma3n::model
