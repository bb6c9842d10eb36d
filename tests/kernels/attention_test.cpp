// Scores and values over one page: against sums in double; each query the same bits whoever rides along.
#include "kernels/tables.h"
#include "tensor/blocks.h"

namespace gemma3n::kernels {
namespace {

using test::Guarded;
using test::normal;
using test::unit;

constexpr DType page_types[] = {DType::f32, DType::f16, DType::q8_0};

struct Page {
    DType type;
    int64_t n, ld, head_dim;
    std::vector<std::byte> bytes;

    Page(DType t, int64_t n_tokens, int64_t dim, uint64_t seed)
        : type(t), n(n_tokens), ld(dim + (is_quantised(t) ? 32 : 6)), head_dim(dim), bytes(static_cast<size_t>(n) * row_bytes(t, ld)) {
        const std::vector<float> x = normal(n * ld, seed);
        if (t == DType::q8_0) {  // any numbers in its places: scales of a plain size, q of all 256
            for (int64_t b = 0; b < n * ld / 32; b++) {
                BlockQ8_0 block;
                block.d = f32_to_f16(x[b] / 128);
                for (int i = 0; i < 32; i++) block.qs[i] = static_cast<int8_t>(std::lround(x[b * 32 + i] * 1000));
                memcpy(&bytes[static_cast<size_t>(b) * sizeof block], &block, sizeof block);
            }
            return;
        }
        for (int64_t i = 0; i < n * ld; i++) {
            const uint16_t h = f32_to_f16(x[i]);
            if (t == DType::f32) memcpy(&bytes[i * 4], &x[i], 4);
            else memcpy(&bytes[i * 2], &h, 2);
        }
    }
    const std::byte* token(int64_t j) const { return bytes.data() + static_cast<uint64_t>(j) * row_bytes(type, ld); }
    std::vector<float> row(int64_t j) const {
        std::vector<float> v(static_cast<size_t>(head_dim));
        reference().to_f32[static_cast<int>(type)](token(j), head_dim, v.data());
        return v;
    }
};

class Attention : public test::OnTable {
protected:
    void check_scores(DType type, int nq, int nk, int64_t dim) {
        const Page page(type, nk, dim, 1);
        const int64_t ldq = dim + 3, lds = nk + 2;
        const std::vector<float> q = normal(nq * ldq, 2);
        Guarded<float> s(nq * lds, 77.0f);
        k->scores(q.data(), ldq, nq, page.token(0), type, page.ld, nk, dim, s, lds);
        EXPECT_TRUE(s.intact());
        for (int j = 0; j < nk; j++) {
            const std::vector<float> key = page.row(j);
            for (int i = 0; i < nq; i++) {
                double sum = 0, size = 0;
                for (int64_t d = 0; d < dim; d++) {
                    sum += static_cast<double>(q[i * ldq + d]) * key[d];
                    size += std::fabs(static_cast<double>(q[i * ldq + d]) * key[d]);
                }
                ASSERT_NEAR(s[i * lds + j], sum, (static_cast<double>(dim) / 4 + 8) * unit * size) << nq << " x " << nk << " of " << dim;
            }
        }
        for (int i = 0; i < nq; i++)
            for (int64_t j = nk; j < lds; j++) ASSERT_EQ(s[i * lds + j], 77.0f) << "between the rows of scores";
    }

    void check_values(DType type, int nq, int nk, int64_t dim) {
        const Page page(type, nk, dim, 3);
        const int64_t ldp = nk + 1, ldo = dim + 2;
        std::vector<float> p = normal(nq * ldp, 4);
        const std::vector<float> before = normal(nq * ldo, 5);
        Guarded<float> o(before);
        k->values(p.data(), ldp, nq, page.token(0), type, page.ld, nk, dim, o, ldo);
        EXPECT_TRUE(o.intact());
        for (int i = 0; i < nq; i++) {
            std::vector<double> sum(before.begin() + i * ldo, before.begin() + i * ldo + dim), size(sum);
            for (double& x : size) x = std::fabs(x);
            for (int j = 0; j < nk; j++) {
                const std::vector<float> value = page.row(j);
                for (int64_t d = 0; d < dim; d++) {
                    sum[d] += static_cast<double>(p[i * ldp + j]) * value[d];
                    size[d] += std::fabs(static_cast<double>(p[i * ldp + j]) * value[d]);
                }
            }
            for (int64_t d = 0; d < dim; d++) ASSERT_NEAR(o[i * ldo + d], sum[d], (2 * nk + 2) * unit * size[d]) << nq << " x " << nk << " of " << dim;
            for (int64_t d = dim; d < ldo; d++) ASSERT_EQ(o[i * ldo + d], before[i * ldo + d]) << "between the rows of the result";
        }
    }
};
ON_EVERY_TABLE(Attention);

TEST_P(Attention, AtEveryHeadSize) {
    for (int64_t dim : {32, 64, 96, 256, 288}) {
        check_scores(DType::q8_0, 3, 5, dim);
        check_values(DType::q8_0, 3, 5, dim);
    }
    for (DType t : {DType::f16, DType::f32}) {
        for (int64_t dim : test::edge_sizes()) {
            check_scores(t, 3, 5, dim);
            check_values(t, 3, 5, dim);
        }
    }
}

TEST_P(Attention, AtEveryShape) {
    for (DType t : page_types) {
        for (int nq : {1, 2, 3, 4, 5, 6, 7, 8, 13, 64}) {
            for (int nk : {1, 2, 3, 4, 5, 9, 63, 64}) {
                check_scores(t, nq, nk, 64);
                check_values(t, nq, nk, t == DType::q8_0 ? 96 : 72);
            }
        }
    }
}

TEST_P(Attention, AQueryDoesNotDependOnTheOthers) {
    for (DType t : page_types) {
        for (int64_t dim : {256, t == DType::q8_0 ? 96 : 75}) {
            constexpr int nq = 33, nk = 29;
            const Page page(t, nk, dim, 6);
            const std::vector<float> q = normal(nq * dim, 7), p = normal(nq * nk, 8);
            std::vector<float> s(nq * nk), o(static_cast<size_t>(nq * dim));
            k->scores(q.data(), dim, nq, page.token(0), t, page.ld, nk, dim, s.data(), nk);
            k->values(p.data(), nk, nq, page.token(0), t, page.ld, nk, dim, o.data(), dim);
            for (int first = 0; first < nq; first++) {
                for (int count : {1, 2, 3, 4, 7}) {
                    if (first + count > nq) continue;
                    std::vector<float> some(static_cast<size_t>(count * nk)), out(static_cast<size_t>(count * dim));
                    k->scores(q.data() + first * dim, dim, count, page.token(0), t, page.ld, nk, dim, some.data(), nk);
                    k->values(p.data() + first * nk, nk, count, page.token(0), t, page.ld, nk, dim, out.data(), dim);
                    ASSERT_EQ(0, memcmp(some.data(), &s[first * nk], some.size() * sizeof(float))) << first << " + " << count;
                    ASSERT_EQ(0, memcmp(out.data(), &o[first * dim], out.size() * sizeof(float))) << first << " + " << count;
                }
            }
        }
    }
}

// A key's score does not depend on the keys beside it, and values of two halves of a page are the values of the page.
TEST_P(Attention, APageMayBeTakenInParts) {
    for (DType t : page_types) {
        constexpr int nq = 5, nk = 21;
        const int64_t dim = t == DType::q8_0 ? 128 : 130;
        const Page page(t, nk, dim, 9);
        const std::vector<float> q = normal(nq * dim, 10), p = normal(nq * nk, 11);
        std::vector<float> s(nq * nk), o(static_cast<size_t>(nq * dim));
        k->scores(q.data(), dim, nq, page.token(0), t, page.ld, nk, dim, s.data(), nk);
        k->values(p.data(), nk, nq, page.token(0), t, page.ld, nk, dim, o.data(), dim);
        for (int cut = 1; cut < nk; cut++) {
            std::vector<float> parts(nq * nk), out(static_cast<size_t>(nq * dim));
            k->scores(q.data(), dim, nq, page.token(0), t, page.ld, cut, dim, parts.data(), nk);
            k->scores(q.data(), dim, nq, page.token(cut), t, page.ld, nk - cut, dim, parts.data() + cut, nk);
            EXPECT_EQ(parts, s) << cut;
            k->values(p.data(), nk, nq, page.token(0), t, page.ld, cut, dim, out.data(), dim);
            k->values(p.data() + cut, nk, nq, page.token(cut), t, page.ld, nk - cut, dim, out.data(), dim);
            EXPECT_EQ(out, o) << cut;
        }
    }
}

}  // namespace
}  // namespace gemma3n::kernels
