// What an instruction set can do at best, beside its table: plain reading, the fastest 8-bit product, float multiply-adds, all from
// registers and in chains enough to fill the units. `gemma3n bench --roof` times them.
#pragma once

#include "kernels/table.h"

#include <cstddef>
#include <cstdint>

namespace gemma3n::kernels {

inline constexpr uint64_t roof_read_unit = 1024;  // bytes; read() takes a multiple of it

struct Roof {
    const char* int8_instruction;                              // what the 8-bit products are made of
    uint64_t (*read)(const std::byte* p, uint64_t n_bytes);    // xor of all; 64-byte aligned
    int32_t (*int8)(int64_t rounds);
    int64_t int8_round;                                        // multiplications and additions of one round
    float (*f32)(int64_t rounds);
    int64_t f32_round;
};

// That of a table that this CPU runs.
const Roof& roof(const Table& table);

Roof reference_roof();
namespace avx2 { Roof roof(); }
namespace avx512vnni { Roof roof(); }
namespace neon { Roof roof(); }
namespace neon_dotprod { Roof roof(); }
namespace neon_i8mm { Roof roof(); }

}  // namespace gemma3n::kernels
