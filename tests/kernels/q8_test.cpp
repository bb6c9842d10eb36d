// The 8-bit products of every table: quantised activations and integer sums equal to the reference's, scales to rounding, and the same
// bits whoever rides along.
#include "kernels/tables.h"

namespace gemma3n::kernels {
namespace {

using test::Matrix;
using test::normal;
using test::quantised;
using test::unit;

// Activations as ops/ prepares them: padded, aligned, filled with rubbish where a kernel must write or not look.
struct Rows {
    std::vector<std::byte> q_bytes, scale_bytes, sum_bytes;
    Q8 a;
    Rows(int64_t n, int64_t k) {
        a.n = n;
        a.k = k;
        a.q_stride = (k + 63) / 64 * 64;
        a.scale_stride = (k / 32 + 15) / 16 * 16;
        a.sum_stride = (k / 16 + 31) / 32 * 32;
        q_bytes = test::aligned_bytes(n * a.q_stride + 64);
        scale_bytes = test::aligned_bytes(n * a.scale_stride * 4 + 64);
        sum_bytes = test::aligned_bytes(n * a.sum_stride * 2 + 64);
        for (auto* v : {&q_bytes, &scale_bytes, &sum_bytes}) std::fill(v->begin(), v->end(), std::byte{0x5B});
        a.q = reinterpret_cast<int8_t*>(test::align(q_bytes));
        a.scale = reinterpret_cast<float*>(test::align(scale_bytes));
        a.sum = reinterpret_cast<int16_t*>(test::align(sum_bytes));
    }
    Rows(const Table& t, const std::vector<float>& x, int64_t n, int64_t k) : Rows(n, k) {
        for (int64_t i = 0; i < n; i++) quantize(t, x.data() + i * k, i);
    }
    void quantize(const Table& t, const float* x, int64_t i) {
        t.quantize_q8(x, a.k, a.q + i * a.q_stride, a.scale + i * a.scale_stride, a.sum + i * a.sum_stride);
    }
    Q8 from(int64_t first, int64_t n) const {
        Q8 part = a;
        part.q += first * a.q_stride;
        part.scale += first * a.scale_stride;
        part.sum += first * a.sum_stride;
        part.n = n;
        return part;
    }
    bool operator==(const Rows& o) const { return q() == o.q() && scale() == o.scale() && sum() == o.sum(); }
    std::vector<int8_t> q() const { return {a.q, a.q + a.n * a.q_stride}; }
    std::vector<float> scale() const { return {a.scale, a.scale + a.n * a.scale_stride}; }
    std::vector<int16_t> sum() const { return {a.sum, a.sum + a.n * a.sum_stride}; }
};

// Every scale a power of two: what is left of a product is its integer sum, exact in f32.
void make_exact(Matrix& m) { m.set_scales(f32_to_f16(0.0625f), f32_to_f16(0.0625f)); }

class ProductsQ8 : public test::OnTable {
protected:
    std::vector<float> matvec(const Weights& w, const Q8& a, int64_t ldy) {
        std::vector<float> y(static_cast<size_t>(a.n * ldy + 64), 77.0f);
        k->matvec_q8[static_cast<int>(w.type)](w, a, y.data(), ldy);
        for (size_t i = a.n * ldy; i < y.size(); i++) EXPECT_EQ(y[i], 77.0f) << "beyond the result";
        return y;
    }
    std::vector<float> matmul(const Weights& w, const Q8& a, int64_t ldy) {
        std::vector<std::byte> scratch = test::aligned_bytes(matmul_scratch_bytes(w.k) + 64);
        std::byte* s = test::align(scratch);
        std::fill(s, s + matmul_scratch_bytes(w.k) + 64, std::byte{0x5A});
        std::vector<float> y(static_cast<size_t>(a.n * ldy + 64), 77.0f);
        k->matmul_q8[static_cast<int>(w.type)](w, a, y.data(), ldy, s);
        for (int i = 0; i < 64; i++) EXPECT_EQ(s[matmul_scratch_bytes(w.k) + i], std::byte{0x5A}) << "beyond the scratch";
        for (size_t i = a.n * ldy; i < y.size(); i++) EXPECT_EQ(y[i], 77.0f) << "beyond the result";
        return y;
    }

    void check(const std::vector<float>& y, const Matrix& m, const Rows& rows, int64_t ldy) {
        for (int64_t r = 0; r < m.rows; r++) {
            const std::vector<float> weights = m.row(r);
            const std::vector<double> minima = m.minimum_sizes(r);  // a weight with one is the difference of two larger numbers
            for (int64_t i = 0; i < rows.a.n; i++) {
                double sum = 0, size = 0;
                for (int64_t j = 0; j < m.k; j++) {
                    const double a = static_cast<double>(rows.a.scale[i * rows.a.scale_stride + j / 32]) * rows.a.q[i * rows.a.q_stride + j];
                    sum += weights[j] * a;
                    size += (std::fabs(weights[j]) + 2 * minima[j]) * std::fabs(a);
                }
                // a rounding a block in its chain, a few for the scales of a block
                ASSERT_NEAR(y[i * ldy + r], sum, (static_cast<double>(m.k) / 32 + 12) * unit * size)
                    << info(m.type).name << " row " << r << " of " << m.rows << ", k " << m.k << ", activation " << i << " of " << rows.a.n;
            }
        }
        for (int64_t i = 0; i < rows.a.n; i++)
            for (int64_t r = m.rows; r < ldy; r++) ASSERT_EQ(y[i * ldy + r], 77.0f) << "between the rows of the result";
    }
};
ON_EVERY_TABLE(ProductsQ8);

TEST_P(ProductsQ8, QuantizesAsTheReference) {
    for (int64_t length : {32, 64, 96, 128, 256, 288, 512, 544, 2048}) {
        for (float size : {1.0f, 1e-4f, 3e4f, 1e-30f}) {
            std::vector<float> x = normal(3 * length, 1, size);
            std::fill_n(x.begin() + length, 32, 0.0f);                                     // a block of zeros
            for (int64_t i = 0; i < 32; i++) x[2 * length + i] = static_cast<float>(i) - 15.5f;  // ties
            x[2 * length + 31] = 127;
            EXPECT_TRUE(Rows(*k, x, 3, length) == Rows(truth, x, 3, length)) << length << " of size " << size;
        }
    }
    const std::vector<float> x = normal(64, 2);  // unaligned input
    Rows one(1, 32), two(1, 32);
    one.quantize(*k, x.data() + 3, 0);
    two.quantize(truth, x.data() + 3, 0);
    EXPECT_TRUE(one == two);
}

TEST_P(ProductsQ8, QuantizedExtremes) {
    std::vector<float> x(64);
    x[5] = -3e38f, x[6] = 3e38f, x[40] = 2e-36f, x[41] = -2e-36f;
    Rows r(*k, x, 1, 64);
    EXPECT_EQ(r.a.q[5], -127);
    EXPECT_EQ(r.a.q[6], 127);
    EXPECT_EQ(r.a.q[40], 127);
    EXPECT_EQ(r.a.q[41], -127);
    EXPECT_EQ(r.a.sum[0], 0);
    EXPECT_EQ(r.a.sum[2], 0);
    for (float dust : {1e-36f, 1e-38f, 1e-44f}) {  // 127 / dust is infinite
        Rows zero(*k, std::vector<float>(32, -dust), 1, 32);
        EXPECT_EQ(zero.q(), std::vector<int8_t>(64)) << dust;
        EXPECT_EQ(zero.a.sum[0], 0);
    }
}

TEST_P(ProductsQ8, IntegerSumsAreEqual) {
    for (DType t : quantised) {
        for (int64_t blocks : {1, 2, 3}) {
            const int64_t length = blocks * info(t).block;
            Matrix m(t, 21, length, 3);
            make_exact(m);
            Rows rows(truth, normal(19 * length, 4), 19, length);
            for (int64_t i = 0; i < 19 * rows.a.scale_stride; i++) rows.a.scale[i] = 0.5f;
            std::vector<float> expected(19 * 21);
            truth.matvec_q8[static_cast<int>(t)](m.weights(), rows.a, expected.data(), 21);
            std::vector<float> y = matmul(m.weights(), rows.a, 21);
            y.resize(expected.size());
            EXPECT_EQ(y, expected) << info(t).name << " matmul of " << length;
            y = matvec(m.weights(), rows.from(0, 16), 21);
            y.resize(16 * 21);
            expected.resize(16 * 21);
            EXPECT_EQ(y, expected) << info(t).name << " matvec of " << length;
        }
    }
}

// The largest sums there are: every weight and every activation at its end.
TEST_P(ProductsQ8, ExtremesDoNotOverflow) {
    for (DType t : quantised) {
        for (int fill : {0x00, 0xFF, 0x7F, 0x80}) {
            Matrix m(t, 6, 256, 5);
            std::fill(m.bytes.begin(), m.bytes.end(), static_cast<std::byte>(fill));
            make_exact(m);
            for (int sign : {1, -1}) {
                const Rows rows(truth, std::vector<float>(20 * 256, static_cast<float>(sign * 127)), 20, 256);
                std::vector<float> expected(20 * 6);
                truth.matvec_q8[static_cast<int>(t)](m.weights(), rows.a, expected.data(), 6);
                const std::vector<float> few = matvec(m.weights(), rows.from(0, 5), 6), many = matmul(m.weights(), rows.a, 6);
                for (int i = 0; i < 20 * 6; i++) {
                    if (i < 5 * 6) {
                        ASSERT_NEAR(few[i], expected[i], 4 * unit * std::fabs(expected[i])) << info(t).name << " " << fill;
                    }
                    ASSERT_NEAR(many[i], expected[i], 4 * unit * std::fabs(expected[i])) << info(t).name << " " << fill;
                }
            }
        }
    }
}

TEST_P(ProductsQ8, MatvecAtEveryShape) {
    for (DType t : quantised) {
        for (int64_t blocks : {1, 2, 3, 5, 9}) {
            const Matrix m(t, 5, blocks * info(t).block, 6);
            const Rows rows(*k, normal(3 * m.k, 7), 3, m.k);
            check(matvec(m.weights(), rows.a, 8), m, rows, 8);
        }
        for (int64_t n_rows : {1, 2, 3, 4, 7, 8, 15, 16, 17, 33}) {
            for (int64_t n : {1, 2, 3, 4, 5, 7, 8, 13, 16}) {
                const Matrix m(t, n_rows, 256, 8);
                const Rows rows(*k, normal(n * m.k, 9), n, m.k);
                check(matvec(m.weights(), rows.a, n_rows + 3), m, rows, n_rows + 3);
            }
        }
    }
}

TEST_P(ProductsQ8, MatmulAtEveryShape) {
    for (DType t : quantised) {
        for (int64_t blocks : {1, 2, 3, 5, 9}) {
            const Matrix m(t, 18, blocks * info(t).block, 10);
            const Rows rows(*k, normal(19 * m.k, 11), 19, m.k);
            check(matmul(m.weights(), rows.a, 20), m, rows, 20);
        }
        for (int64_t n_rows : {1, 2, 3, 15, 16, 17, 33}) {
            for (int64_t n : {1, 2, 5, 16, 17, 18, 31, 32, 33, 70}) {
                const Matrix m(t, n_rows, 256, 12);
                const Rows rows(*k, normal(n * m.k, 13), n, m.k);
                check(matmul(m.weights(), rows.a, n_rows + 3), m, rows, n_rows + 3);
            }
        }
    }
}

TEST_P(ProductsQ8, MatvecIsBatchInvariant) {
    for (DType t : quantised) {
        for (int64_t length : {int64_t{256}, 3 * int64_t{info(t).block}}) {
            constexpr int64_t n_rows = 19, n = matvec_max_rows;
            const Matrix m(t, n_rows, length, 14);
            const Rows rows(*k, normal(n * length, 15), n, length);
            const std::vector<float> all = matvec(m.weights(), rows.a, n_rows);
            for (int64_t count = 1; count <= n; count++) {
                for (int64_t first = 0; first + count <= n; first += 3) {
                    const std::vector<float> some = matvec(m.weights(), rows.from(first, count), n_rows);
                    ASSERT_EQ(0, memcmp(some.data(), &all[first * n_rows], static_cast<size_t>(count * n_rows) * sizeof(float)))
                        << info(t).name << " rows " << first << " + " << count;
                }
            }
            for (int64_t first = 0; first < n_rows; first += 2) {
                const int64_t count = std::min<int64_t>(n_rows - first, 1 + first % 7);
                const std::vector<float> part = matvec(m.weights().from(first, count), rows.a, count);
                for (int64_t i = 0; i < n; i++)
                    ASSERT_EQ(0, memcmp(&part[i * count], &all[i * n_rows + first], static_cast<size_t>(count) * sizeof(float))) << info(t).name;
            }
        }
    }
}

// The left columns of a wider matrix, as a slice reads down_proj, give the bits of the same columns side by side.
TEST_P(ProductsQ8, GapsBetweenRowsChangeNothing) {
    for (DType t : quantised) {
        for (int64_t length : {int64_t{info(t).block}, int64_t{512}, 3 * int64_t{info(t).block}}) {
            constexpr int64_t n_rows = 21, most = 5;
            const Matrix wide(t, n_rows, length + 512, 18);
            Matrix close = wide;
            close.k = length, close.stride = row_bytes(t, length);
            for (int64_t r = 0; r < n_rows; r++) memmove(close.bytes.data() + r * close.stride, wide.bytes.data() + r * wide.stride, close.stride);
            Weights apart = wide.weights();
            apart.k = length;
            const Rows rows(*k, normal(most * length, 19), most, length);
            for (int64_t n : {int64_t{1}, int64_t{2}, most}) {
                for (int64_t first : {0, 4, 13, 20}) {  // what is left: 21, 17, 8 and 1
                    const int64_t count = n_rows - first;
                    ASSERT_EQ(matvec(apart.from(first, count), rows.from(0, n), count), matvec(close.weights().from(first, count), rows.from(0, n), count))
                        << info(t).name << ", " << count << " rows of " << length << ", " << n << " activations";
                    ASSERT_EQ(matmul(apart.from(first, count), rows.from(0, n), count), matmul(close.weights().from(first, count), rows.from(0, n), count)) << info(t).name;
                }
            }
        }
    }
}

// Large steps agree bit for bit on any number of threads: these part the weights at multiples of a panel.
TEST_P(ProductsQ8, MatmulDoesNotDependOnThePartition) {
    for (DType t : quantised) {
        constexpr int64_t n_rows = 53, n = 35, length = 512;
        const Matrix m(t, n_rows, length, 16);
        const Rows rows(*k, normal(n * length, 17), n, length);
        const std::vector<float> all = matmul(m.weights(), rows.a, n_rows);
        for (int64_t first = 0; first < n_rows; first += panel_rows) {
            const int64_t count = std::min<int64_t>(n_rows - first, panel_rows);
            const std::vector<float> part = matmul(m.weights().from(first, count), rows.a, count);
            for (int64_t i = 0; i < n; i++)
                ASSERT_EQ(0, memcmp(&part[i * count], &all[i * n_rows + first], static_cast<size_t>(count) * sizeof(float))) << info(t).name;
        }
    }
}

}  // namespace
}  // namespace gemma3n::kernels
