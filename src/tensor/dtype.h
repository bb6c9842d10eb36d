// Element types of tensors, in memory and in files. Quantised types are made of blocks: `block` values in `bytes` bytes.
// The block structs themselves, with their sizes asserted, stand in tensor/blocks.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace gemma3n {

enum class DType : uint8_t {
    f32,
    f16,
    bf16,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
    iq4_nl,
    iq4_xs,
    i32,
    count_,
};
inline constexpr int n_dtypes = static_cast<int>(DType::count_);

struct DTypeInfo {
    std::string_view name;  // as people write it: "f32", "q4_0", "q4_k", ...
    int block;              // values per block; 1 for plain types
    int bytes;              // bytes per block
    int ggml;               // number of the type in a GGUF file
};

inline constexpr DTypeInfo dtype_infos[n_dtypes] = {
    {"f32", 1, 4, 0},      {"f16", 1, 2, 1},        {"bf16", 1, 2, 30},
    {"q4_0", 32, 18, 2},   {"q4_1", 32, 20, 3},     {"q5_0", 32, 22, 6},     {"q5_1", 32, 24, 7},     {"q8_0", 32, 34, 8},
    {"q2_k", 256, 84, 10}, {"q3_k", 256, 110, 11},  {"q4_k", 256, 144, 12},  {"q5_k", 256, 176, 13},  {"q6_k", 256, 210, 14},
    {"iq4_nl", 32, 18, 20}, {"iq4_xs", 256, 136, 23}, {"i32", 1, 4, 26},
};

constexpr const DTypeInfo& info(DType t) { return dtype_infos[static_cast<int>(t)]; }
constexpr bool is_quantised(DType t) { return info(t).block > 1; }

// Bytes of a row of `cols` values. `cols` must be a multiple of the block (loaders check it).
constexpr uint64_t row_bytes(DType t, int64_t cols) {
    return static_cast<uint64_t>(cols) / info(t).block * info(t).bytes;
}

}  // namespace gemma3n
