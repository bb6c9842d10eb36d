// The 8-bit products of every table against the reference.
#include "kernels/q8.h"

namespace gemma3n::kernels {
namespace {

using test::Activations;
using test::Matrix;

class Q8Products : public test::OnTable {
protected:
    std::vector<float> product(const Table& t, const Weights& w, const Q8& a, bool large) {
        test::Guarded<float> y(a.n * (w.rows + 3), -1.0f);  // rows further apart than they are long
        const uint64_t scratch_bytes = matmul_scratch_bytes(w.k);
        std::vector<std::byte> scratch = test::aligned_bytes(scratch_bytes + 64);
        std::fill_n(test::align(scratch) + scratch_bytes, 64, std::byte{0x5A});
        if (large) t.matmul_q8[static_cast<int>(w.type)](w, a, y, w.rows + 3, test::align(scratch));
        else t.matvec_q8[static_cast<int>(w.type)](w, a, y, w.rows + 3);
        EXPECT_TRUE(y.intact());
        for (uint64_t i = 0; i < 64; i++) EXPECT_EQ(test::align(scratch)[scratch_bytes + i], std::byte{0x5A}) << "beyond the scratch";
        std::vector<float> dense;
        for (int64_t i = 0; i < a.n; i++) {
            for (int64_t r = 0; r < w.rows; r++) dense.push_back(y[i * (w.rows + 3) + r]);
            for (int64_t r = w.rows; r < w.rows + 3; r++) EXPECT_EQ(y[i * (w.rows + 3) + r], -1.0f) << "written beyond a row";
        }
        return dense;
    }

    // |fast - truth| <= roundings x (what a product adds up, in magnitude, its type's offset included).
    void expect_near(const Matrix& m, const Activations& a, bool large) {
        const std::vector<float> got = product(*k, m.weights(), a.q8(), large), want = product(truth, m.weights(), a.q8(), large);
        for (int64_t r = 0; r < m.rows; r++) {
            const std::vector<double> size = m.magnitudes(r);
            for (int64_t i = 0; i < a.n; i++) {
                double total = 0;
                for (int64_t j = 0; j < m.k; j++) total += size[j] * std::fabs(a.value(i, j));
                const double bound = test::unit * (8 + static_cast<double>(m.k) / 32) * 2 * total;
                const size_t at = static_cast<size_t>(i * m.rows + r);
                ASSERT_NEAR(got[at], want[at], bound) << info(m.type).name << " k=" << m.k << " row " << r << " of " << m.rows << ", activation row "
                                                      << i << " of " << a.n << (large ? ", matmul" : ", matvec");
            }
        }
    }
};
ON_EVERY_TABLE(Q8Products);

TEST_P(Q8Products, AgreeWithTheReferenceAtEverySize) {
    for (DType type : test::quantised) {
        const int64_t block = info(type).block;
        for (int64_t blocks : {1, 2, 3, 5, 8, 16, 17, 21, 33, 64}) {
            const int64_t n_values = block == 256 ? 256 * ((blocks + 7) / 8) : 32 * blocks;
            for (int64_t rows : {1, 2, 3, 16, 17}) {
                const Matrix m(type, rows, n_values, 1);
                for (int64_t n : {1, 2, 5, 16}) expect_near(m, Activations(*k, n, n_values, 2), false);
                for (int64_t n : {1, 7, 17, 33}) expect_near(m, Activations(*k, n, n_values, 3), true);
            }
        }
    }
}

TEST_P(Q8Products, AnyNumberOfRows) {
    for (DType type : test::quantised) {
        for (int64_t n = 1; n <= 20; n++) {
            const Activations a(*k, n, 512, 4);
            for (int64_t rows = 1; rows <= 40; rows += n % 3 + 1) {
                const Matrix m(type, rows, 512, 5);
                if (n <= matvec_max_rows) expect_near(m, a, false);
                expect_near(m, a, true);
            }
        }
    }
}

TEST_P(Q8Products, SumsOfIntegersAreExact) {  // scales that are powers of two: every order of adding gives the same bits
    for (DType type : test::quantised) {
        const int64_t block = info(type).block;
        for (int64_t n_values : {block, 3 * block, 512 + block, int64_t{2048}}) {
            Matrix m(type, 19, n_values, 6);
            m.set_scales(f32_to_f16(0.25f), f32_to_f16(0.5f));
            Activations a(*k, 18, n_values, 7);
            a.set_scales(2);
            EXPECT_EQ(product(*k, m.weights(), a.q8(), true), product(truth, m.weights(), a.q8(), true)) << info(type).name << " " << n_values;
            a.n = 5;
            EXPECT_EQ(product(*k, m.weights(), a.q8(), false), product(truth, m.weights(), a.q8(), false)) << info(type).name << " " << n_values;
        }
    }
}

TEST_P(Q8Products, ExtremeQuants) {  // all bits set, all clear, -128: against the largest activations of either sign
    for (DType type : test::quantised) {
        for (int fill : {0x00, 0xFF, 0x80, 0x7F}) {
            for (int8_t q : {int8_t{127}, int8_t{-127}}) {
                Matrix m(type, 17, 512, 8);
                std::fill(m.bytes.begin(), m.bytes.end(), static_cast<std::byte>(fill));
                m.set_scales(f32_to_f16(1), f32_to_f16(1));
                Activations a(*k, 17, 512, 9);
                a.set(q);
                a.set_scales(1);
                EXPECT_EQ(product(*k, m.weights(), a.q8(), true), product(truth, m.weights(), a.q8(), true)) << info(type).name << " " << fill;
                a.n = 3;
                EXPECT_EQ(product(*k, m.weights(), a.q8(), false), product(truth, m.weights(), a.q8(), false)) << info(type).name << " " << fill;
            }
        }
    }
}

TEST_P(Q8Products, ExtremeScales) {
    for (DType type : test::quantised) {
        for (uint16_t d : {uint16_t{0}, uint16_t{1}, uint16_t{0x8001}, f32_to_f16(-1.5f), uint16_t{0x7BFF}, uint16_t{0xFBFF}}) {
            Matrix m(type, 5, 768, 10);
            m.set_scales(d, d);
            const Activations a(*k, 17, 768, 11);
            expect_near(m, a, true);
            expect_near(m, Activations(*k, 3, 768, 12), false);
        }
    }
}

TEST_P(Q8Products, ARowDoesNotDependOnItsCompany) {  // bit for bit, whatever rides along and whatever rows of W a call covers
    for (DType type : test::quantised) {
        const int64_t n_values = is_quantised(type) && info(type).block == 256 ? 1280 : 1184;  // 32-value blocks: an odd number, 37
        const Matrix m(type, 13, n_values, 13);
        const Activations a(*k, matvec_max_rows, n_values, 14);
        const std::vector<float> all_rows = product(*k, m.weights(), a.q8(), false);
        for (int64_t i = 0; i < a.n; i++) {
            for (int64_t n = 1; i + n <= a.n; n++) {
                const std::vector<float> some = product(*k, m.weights(), a.q8(i, n), false);
                for (int64_t j = 0; j < n * m.rows; j++) ASSERT_EQ(some[j], all_rows[i * m.rows + j]) << info(type).name << " " << i << " " << n;
            }
        }
        for (int64_t first = 0; first < m.rows; first++) {
            for (int64_t rows = 1; first + rows <= m.rows; rows++) {
                for (int64_t n : {1, 3}) {
                    const std::vector<float> some = product(*k, m.weights().from(first, rows), a.q8(0, n), false);
                    for (int64_t i = 0; i < n; i++)
                        for (int64_t r = 0; r < rows; r++)
                            ASSERT_EQ(some[i * rows + r], all_rows[i * m.rows + first + r]) << info(type).name << " " << first << " " << rows;
                }
            }
        }
    }
}

TEST_P(Q8Products, ARowOfALargeStepDoesNotDependOnTheirNumber) {  // streams compute their rows in whatever groups they become ready
    for (DType type : test::quantised) {
        const Matrix m(type, 21, info(type).block == 256 ? 1280 : 1184, 15);
        const Activations a(*k, 140, m.k, 16);
        const std::vector<float> all_rows = product(*k, m.weights(), a.q8(), true);
        for (const int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 37, 64, 129}) {
            for (const int64_t first : {int64_t{0}, a.n - n}) {
                const std::vector<float> some = product(*k, m.weights(), a.q8(first, n), true);
                ASSERT_EQ(0, memcmp(some.data(), &all_rows[first * m.rows], some.size() * sizeof(float))) << info(type).name << " " << first << " " << n;
            }
        }
    }
}

TEST_P(Q8Products, AColumnSliceOfAWiderMatrix) {  // a stride larger than a row
    for (DType type : test::quantised) {
        const Matrix wide(type, 18, 1024, 15);
        Weights w = wide.weights();
        w.k = 512;
        for (int64_t n : {1, 4, 20}) {
            const Activations a(*k, n, 512, 16);
            Matrix narrow(type, 18, 512, 17);
            for (int64_t r = 0; r < 18; r++) memcpy(&narrow.bytes[r * narrow.stride], &wide.bytes[r * wide.stride], narrow.stride);
            const bool large = n > matvec_max_rows;
            EXPECT_EQ(product(*k, w, a.q8(), large), product(*k, narrow.weights(), a.q8(), large)) << info(type).name;
        }
    }
}

TEST_P(Q8Products, NothingIsReadBeyondTheWeights) {  // they end where the mapped file ends
    for (DType type : test::quantised) {
        for (int64_t blocks : {1, 2, 3, 7, 16, 19, 64}) {
            const int64_t n_values = info(type).block * (info(type).block == 256 ? (blocks + 7) / 8 : blocks);
            const Matrix m(type, 18, n_values, 20);
            const test::AtPageEnd<std::byte> end(static_cast<int64_t>(m.bytes.size()));
            memcpy(end.data(), m.bytes.data(), m.bytes.size());
            Weights w = m.weights();
            w.data = end.data();
            for (int64_t n : {1, 4, 16, 18}) {
                const Activations a(*k, n, n_values, 21);
                const bool large = n > matvec_max_rows;
                EXPECT_EQ(product(*k, w, a.q8(), large), product(*k, m.weights(), a.q8(), large)) << info(type).name;
            }
        }
    }
}

TEST_P(Q8Products, NotANumberIsNotLost) {
    for (DType type : test::quantised) {
        const Matrix m(type, 3, 512, 18);
        Activations a(*k, 17, 512, 19);
        a.x[512 * 1 + 100] = NAN;
        a.x[512 * 2 + 100] = INFINITY;
        a.quantize(*k);
        const std::vector<float> y = product(*k, m.weights(), a.q8(), true);
        for (int64_t i = 0; i < 17; i++)
            for (int64_t r = 0; r < 3; r++) EXPECT_EQ(std::isfinite(y[i * 3 + r]), i != 1 && i != 2) << info(type).name << " " << i;
    }
}

}  // namespace
}  // namespace gemma3n::kernels
