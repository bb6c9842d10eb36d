// How the instruction sets hand in their kernels: each table starts as a copy of reference() and is then overwritten by the set's
// fast twins. fill_q8: the quantised products (quantize_q8, matvec_q8, matmul_q8); fill_vectors: everything else.
// Each pair stands in <set>_q8.cpp and <set>.cpp, compiled with that set's flags.
#pragma once

#include "kernels/table.h"

namespace gemma3n::kernels {

namespace avx2 {
void fill_q8(Table& t);
void fill_vectors(Table& t);
}
namespace avx512vnni {
void fill_q8(Table& t);
void fill_vectors(Table& t);
}
namespace neon {  // armv8-a
void fill_q8(Table& t);
void fill_vectors(Table& t);
}
namespace neon_dotprod {  // armv8.2-a+dotprod; vectors are neon's
void fill_q8(Table& t);
}
namespace neon_i8mm {  // armv8.2-a+dotprod+i8mm; vectors are neon's
void fill_q8(Table& t);
}

}  // namespace gemma3n::kernels
