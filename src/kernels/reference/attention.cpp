// Attention over one page, and the reference table itself.
#include "kernels/reference/reference.h"

#include "base/f16.h"
#include "tensor/blocks.h"

namespace gemma3n::kernels {

namespace plain {

namespace {

float element(const std::byte* p, DType type, int64_t i) {
    if (type == DType::q8_0) {
        const BlockQ8_0& b = reinterpret_cast<const BlockQ8_0*>(p)[i / 32];
        return f16_to_f32(b.d) * static_cast<float>(b.qs[i % 32]);
    }
    if (type == DType::f32) {
        float f;
        memcpy(&f, p + 4 * i, 4);
        return f;
    }
    uint16_t h;
    memcpy(&h, p + 2 * i, 2);
    return f16_to_f32(h);
}

void scores(const float* q, int64_t ldq, int nq, const std::byte* k, DType type, int64_t ldk, int nk, int64_t head_dim, float* s, int64_t lds) {
    for (int i = 0; i < nq; i++) {
        for (int j = 0; j < nk; j++) {
            double sum = 0;
            for (int64_t d = 0; d < head_dim; d++) sum += static_cast<double>(q[i * ldq + d]) * element(k, type, j * ldk + d);
            s[i * lds + j] = static_cast<float>(sum);
        }
    }
}

void values(const float* p, int64_t ldp, int nq, const std::byte* v, DType type, int64_t ldv, int nk, int64_t head_dim, float* o, int64_t ldo) {
    for (int i = 0; i < nq; i++)
        for (int j = 0; j < nk; j++)
            for (int64_t d = 0; d < head_dim; d++) o[i * ldo + d] += p[i * ldp + j] * element(v, type, j * ldv + d);
}

}  // namespace

void fill_attention(Table& t) {
    t.scores = scores;
    t.values = values;
}

}  // namespace plain

const Table& reference() {
    static const Table table = [] {
        Table t{};
        t.name = "reference";
        plain::fill_products(t);
        plain::fill_vectors(t);
        plain::fill_attention(t);
        plain::fill_maps(t);
        return t;
    }();
    return table;
}

}  // namespace gemma3n::kernels
