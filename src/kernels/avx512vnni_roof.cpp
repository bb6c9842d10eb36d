// AVX-512 VNNI: what it can do at best.
#include "kernels/roof.h"

#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 warns of its own _mm512_undefined_ps()
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

namespace gemma3n::kernels::avx512vnni {

namespace {

constexpr int W = 16;
typedef float vf __attribute__((vector_size(64)));
using vq = __m512i;

constexpr const char* dot8_name = "vpdpbusd";
constexpr int64_t dot8_ops = 128;
inline vq dot8(vq acc, vq a, vq b) { return _mm512_dpbusd_epi32(acc, a, b); }
#define KEEP(v) asm volatile("" : "+v"(v))

#include "kernels/generic/roof.h"

}  // namespace

Roof roof() { return made_roof(); }

}  // namespace gemma3n::kernels::avx512vnni
