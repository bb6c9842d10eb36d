#include "kernels/roof.h"

#include <string_view>

namespace gemma3n::kernels {

const Roof& roof(const Table& table) {
    [[maybe_unused]] const std::string_view name = table.name;
#if defined(__x86_64__) && !defined(G3N_PLAIN_KERNELS)
    if (name == "avx512vnni") {
        static const Roof r = avx512vnni::roof();
        return r;
    }
    if (name == "avx2") {
        static const Roof r = avx2::roof();
        return r;
    }
#elif defined(__aarch64__) && !defined(G3N_PLAIN_KERNELS)
    if (name == "neon-i8mm") {
        static const Roof r = neon_i8mm::roof();
        return r;
    }
    if (name == "neon-dotprod") {
        static const Roof r = neon_dotprod::roof();
        return r;
    }
    if (name == "neon") {
        static const Roof r = neon::roof();
        return r;
    }
#endif
    static const Roof r = reference_roof();
    return r;
}

}  // namespace gemma3n::kernels
