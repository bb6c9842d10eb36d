#include "runtime/kv_type.h"

namespace gemma3n::runtime {

KvType chosen_kv(const EngineOptions& o) {
    if (o.kv != KvType::automatic) return o.kv;
    return o.activations == Activations::f32 ? KvType::f32 : KvType::f16;
}

DType dtype(KvType t) { return t == KvType::f32 ? DType::f32 : t == KvType::q8 ? DType::q8_0 : DType::f16; }

bool fits_q8(const model::Config& c) { return c.head_dim % info(DType::q8_0).block == 0; }

const char* name(KvType type) {
    switch (type) {
        case KvType::f32: return "f32";
        case KvType::f16: return "f16";
        case KvType::q8: return "q8";
        default: return "automatic";
    }
}

Status check_kv(const EngineOptions& o, const model::Config& c) {
    if (chosen_kv(o) != KvType::q8 || fits_q8(c)) return {};
    return fail(Code::bad_argument, "keys and values of 8 bit: the model's heads have %lld values, expected a multiple of %d", static_cast<long long>(c.head_dim), info(DType::q8_0).block);
}

}  // namespace gemma3n::runtime
