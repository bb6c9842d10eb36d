// NEON with dot product: what it can do at best.
#include "kernels/roof.h"

#include <arm_neon.h>

namespace gemma3n::kernels::neon_dotprod {

namespace {

constexpr int W = 4;
typedef float vf __attribute__((vector_size(16)));
using vq = int32x4_t;

constexpr const char* dot8_name = "sdot";
constexpr int64_t dot8_ops = 32;
inline vq dot8(vq acc, vq a, vq b) { return vdotq_s32(acc, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)); }
#define KEEP(v) asm volatile("" : "+w"(v))

#include "kernels/generic/roof.h"

}  // namespace

Roof roof() { return made_roof(); }

}  // namespace gemma3n::kernels::neon_dotprod
