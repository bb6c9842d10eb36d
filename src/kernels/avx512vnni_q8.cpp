// The 8-bit products of this set: for the time being the reference's.
#include "kernels/isa.h"

namespace gemma3n::kernels::avx512vnni {

void fill_q8(Table&) {}

}  // namespace gemma3n::kernels::avx512vnni
