// AVX2: what it can do at best. Its 8-bit products are the pair that the table's own are made of.
#include "kernels/roof.h"

#include <immintrin.h>

namespace gemma3n::kernels::avx2 {

namespace {

constexpr int W = 8;
typedef float vf __attribute__((vector_size(32)));
using vq = __m256i;

constexpr const char* dot8_name = "vpmaddubsw + vpmaddwd + vpaddd";
constexpr int64_t dot8_ops = 64;
inline vq dot8(vq acc, vq a, vq b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1))); }
#define KEEP(v) asm volatile("" : "+x"(v))

#include "kernels/generic/roof.h"

}  // namespace

Roof roof() { return made_roof(); }

}  // namespace gemma3n::kernels::avx2
