// Which type each tensor of a GGUF file has, by the name people give the mix: the choices of llama.cpp's quantiser for these networks.
#pragma once

#include "tensor/dtype.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gemma3n::format {

enum class Mix { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q2_k, q3_k_m, q4_k_s, q4_k_m, q5_k_s, q5_k_m, q6_k, iq4_nl, iq4_xs };

std::optional<Mix> mix_from_name(std::string_view name);  // "q4_k_m"
std::string_view name(Mix mix);
std::string mix_names();  // all of them, for a sentence
int gguf_file_type(Mix mix);  // the value of general.file_type

// The one type of a plain mix (f32, f16, bf16), as a safetensors file has it throughout; nullopt for a quantised mix.
std::optional<DType> plain_type(Mix mix);

// Vectors, norms and AltUp's coefficients: f32 in every file.
bool is_always_f32(std::string_view name, int64_t n_dims);
// AltUp, LAuReL and the per-layer projection: a quantised mix leaves them alone.
bool stays_plain(std::string_view name);

// What the choice of types depends on beside the tensor itself.
struct Layers {
    int64_t n = 0;
    int64_t heads_per_kv = 1;     // attention heads that share a key/value head: values that many share are worth more bits
    bool has_importance = false;  // an importance matrix is given: llama.cpp then chooses other types for the early down projections
};

// `name` is canonical. Vectors, norms and AltUp's coefficients stay f32; AltUp, LAuReL and the per-layer projection stay f16 in a
// quantised mix; the embedding tables, tied with the head, have the head's type. A row that the type's block does not divide falls
// back to the next wider type with blocks of 32, at last to f16.
DType type_in_mix(Mix mix, std::string_view name, int64_t n_dims, int64_t cols, const Layers& layers);

}  // namespace gemma3n::format
