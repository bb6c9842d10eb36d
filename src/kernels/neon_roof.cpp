// NEON (armv8-a): what it can do at best.
#include "kernels/roof.h"

#include <arm_neon.h>

namespace gemma3n::kernels::neon {

namespace {

constexpr int W = 4;
typedef float vf __attribute__((vector_size(16)));
using vq = int32x4_t;

constexpr const char* dot8_name = "smull + sadalp";
constexpr int64_t dot8_ops = 16;
inline vq dot8(vq acc, vq a, vq b) { return vpadalq_s16(acc, vmull_s8(vget_low_s8(vreinterpretq_s8_s32(a)), vget_low_s8(vreinterpretq_s8_s32(b)))); }
#define KEEP(v) asm volatile("" : "+w"(v))

#include "kernels/generic/roof.h"

}  // namespace

Roof roof() { return made_roof(); }

}  // namespace gemma3n::kernels::neon
