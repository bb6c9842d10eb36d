// The roof without any instruction set's own instructions: what the compiler makes of plain vectors.
#include "kernels/roof.h"

namespace gemma3n::kernels {

namespace {

constexpr int W = 4;
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vq __attribute__((vector_size(16)));

constexpr const char* dot8_name = "plain";
constexpr int64_t dot8_ops = 8;
// The low byte of each lane only: 4 products.
inline vq dot8(vq acc, vq a, vq b) { return acc + ((a << 24) >> 24) * ((b << 24) >> 24); }
#define KEEP(v) asm volatile("" : "+m"(v))

#include "kernels/generic/roof.h"

}  // namespace

Roof reference_roof() { return made_roof(); }

}  // namespace gemma3n::kernels
