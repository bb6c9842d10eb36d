// Products with f32 activations and weights of every type: against sums in double, and the same bits whoever rides along.
#include "kernels/tables.h"

namespace gemma3n::kernels {
namespace {

using test::Matrix;
using test::normal;
using test::unit;

const std::vector<DType>& every_type() {
    static const std::vector<DType> types = [] {
        std::vector<DType> all = {DType::f32, DType::f16, DType::bf16};
        for (DType t : test::quantised) all.push_back(t);
        return all;
    }();
    return types;
}

class ProductsF32 : public test::OnTable {
protected:
    using Product = decltype(Table::matvec_f32);

    // y [n, ldy], every element that is not a result left at 77.
    std::vector<float> product(Product f, const Weights& w, const std::vector<float>& x, int64_t ldx, int64_t n, int64_t ldy) {
        std::vector<std::byte> scratch = test::aligned_bytes(matmul_scratch_bytes(w.k) + 64);
        std::byte* s = test::align(scratch);
        std::fill(s, s + matmul_scratch_bytes(w.k) + 64, std::byte{0x5A});
        std::vector<float> y(static_cast<size_t>(n * ldy + 64), 77.0f);
        f(w, x.data(), ldx, n, y.data(), ldy, s);
        for (int i = 0; i < 64; i++) EXPECT_EQ(s[matmul_scratch_bytes(w.k) + i], std::byte{0x5A}) << "beyond the scratch";
        for (size_t i = n * ldy; i < y.size(); i++) EXPECT_EQ(y[i], 77.0f) << "beyond the result";
        return y;
    }

    void check(Product f, DType type, int64_t rows, int64_t k_values, int64_t n, uint64_t seed) {
        const Matrix m(type, rows, k_values, seed);
        const int64_t ldx = k_values + 5, ldy = rows + 3;
        const std::vector<float> x = normal(n * ldx, seed + 1);
        const std::vector<float> y = product(f, m.weights(), x, ldx, n, ldy);
        // chains of at most 256 values, then of chunks, then a tree over lanes; rows with minimums differ by roundings of their two terms
        const double chain = static_cast<double>(std::min<int64_t>(k_values, 256) + k_values / 256 + 8) + (is_quantised(type) && test::scales_of(type).second ? 64 : 0);
        for (int64_t r = 0; r < rows; r++) {
            const std::vector<float> row = m.row(r);
            for (int64_t i = 0; i < n; i++) {
                double sum = 0, size = 0;
                for (int64_t j = 0; j < k_values; j++) {
                    sum += static_cast<double>(row[j]) * x[i * ldx + j];
                    size += std::fabs(static_cast<double>(row[j]) * x[i * ldx + j]);
                }
                ASSERT_NEAR(y[i * ldy + r], sum, chain * unit * size)
                    << info(type).name << " row " << r << " of " << rows << ", k " << k_values << ", activation " << i << " of " << n;
            }
        }
        for (int64_t i = 0; i < n; i++)
            for (int64_t r = rows; r < ldy; r++) ASSERT_EQ(y[i * ldy + r], 77.0f) << "between the rows of the result";
    }
};
ON_EVERY_TABLE(ProductsF32);

TEST_P(ProductsF32, MatvecAtEveryLength) {
    for (DType t : {DType::f32, DType::f16, DType::bf16})
        for (int64_t length : test::edge_sizes()) check(k->matvec_f32, t, 3, length, length % 3 + 1, 1);
    for (DType t : every_type())
        if (is_quantised(t))
            for (int64_t blocks : {1, 2, 3, 5}) check(k->matvec_f32, t, 5, blocks * info(t).block, 3, 2);
}

TEST_P(ProductsF32, MatvecAtEveryShape) {
    for (DType t : every_type())
        for (int64_t rows : {1, 2, 3, 4, 5, 16, 17, 33})
            for (int64_t n : {1, 2, 3, 4, 5, 7, 8, 15, 16}) check(k->matvec_f32, t, rows, 256, n, 3);
}

TEST_P(ProductsF32, MatmulAtEveryLength) {
    for (DType t : {DType::f32, DType::f16, DType::bf16})
        for (int64_t length : test::edge_sizes()) check(k->matmul_f32, t, 17, length, 19, 4);
    for (DType t : every_type())
        if (is_quantised(t))
            for (int64_t blocks : {1, 2, 3, 9}) check(k->matmul_f32, t, 18, blocks * info(t).block, 20, 5);
}

TEST_P(ProductsF32, MatmulAtEveryShape) {
    for (DType t : every_type())
        for (int64_t rows : {1, 4, 15, 16, 17, 31, 33})
            for (int64_t n : {1, 2, 5, 11, 12, 13, 17, 24, 31, 50}) check(k->matmul_f32, t, rows, 256, n, 6);
    check(k->matmul_f32, DType::f16, 20, 2049, 25, 7);
}

// Whatever rows ride along and whatever range of weight rows a call covers: the same bits.
TEST_P(ProductsF32, MatvecIsBatchInvariant) {
    for (DType t : every_type()) {
        for (int64_t length : {int64_t{256}, is_quantised(t) ? int64_t{768} : int64_t{301}}) {
            constexpr int64_t rows = 19, n = matvec_max_rows;
            const Matrix m(t, rows, length, 8);
            const std::vector<float> x = normal(n * length, 9);
            const std::vector<float> all = product(k->matvec_f32, m.weights(), x, length, n, rows);
            for (int64_t count = 1; count <= n; count++) {
                const std::vector<float> some = product(k->matvec_f32, m.weights(), x, length, count, rows);
                ASSERT_EQ(0, memcmp(some.data(), all.data(), static_cast<size_t>(count * rows) * sizeof(float))) << info(t).name << " " << count;
            }
            for (int64_t i = 0; i < n; i++) {
                const std::vector<float> one(x.begin() + i * length, x.begin() + (i + 1) * length);
                for (int64_t first = 0; first < rows; first += 3) {
                    const int64_t count = std::min<int64_t>(rows - first, 1 + first % 5);
                    const std::vector<float> part = product(k->matvec_f32, m.weights().from(first, count), one, length, 1, count);
                    ASSERT_EQ(0, memcmp(part.data(), &all[i * rows + first], static_cast<size_t>(count) * sizeof(float))) << info(t).name;
                }
            }
        }
    }
}

// Streams compute their rows in whatever groups they become ready.
TEST_P(ProductsF32, MatmulDoesNotDependOnTheNumberOfRows) {
    for (DType t : every_type()) {
        constexpr int64_t rows = 21, n = 140;
        const int64_t length = is_quantised(t) ? 768 : 901;
        const Matrix m(t, rows, length, 14);
        const std::vector<float> x = normal(n * length, 15);
        const std::vector<float> all = product(k->matmul_f32, m.weights(), x, length, n, rows);
        for (const int64_t count : {1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 17, 24, 37, 64, 100, 129}) {
            for (const int64_t first : {int64_t{0}, n - count}) {
                const std::vector<float> some = product(k->matmul_f32, m.weights(), {x.begin() + first * length, x.begin() + (first + count) * length}, length, count, rows);
                ASSERT_EQ(0, memcmp(some.data(), &all[first * rows], static_cast<size_t>(count * rows) * sizeof(float))) << info(t).name << " " << first << " " << count;
            }
        }
    }
}

TEST_P(ProductsF32, MatmulDoesNotDependOnThePartition) {
    for (DType t : every_type()) {
        constexpr int64_t rows = 50, n = 37, length = 512;
        const Matrix m(t, rows, length, 10);
        const std::vector<float> x = normal(n * length, 11);
        const std::vector<float> all = product(k->matmul_f32, m.weights(), x, length, n, rows);
        for (int64_t first = 0; first < rows; first += panel_rows) {
            const int64_t count = std::min<int64_t>(rows - first, panel_rows);
            const std::vector<float> part = product(k->matmul_f32, m.weights().from(first, count), x, length, n, count);
            for (int64_t i = 0; i < n; i++)
                ASSERT_EQ(0, memcmp(&part[i * count], &all[i * rows + first], static_cast<size_t>(count) * sizeof(float))) << info(t).name;
        }
    }
}

TEST_P(ProductsF32, NoRowsAndNoActivations) {
    const Matrix m(DType::f16, 4, 64, 12);
    const std::vector<float> x = normal(64 * 20, 13);
    product(k->matvec_f32, m.weights(), x, 64, 0, 4);
    product(k->matmul_f32, m.weights(), x, 64, 0, 4);
    const std::vector<float> y = product(k->matmul_f32, m.weights().from(0, 0), x, 64, 20, 4);
    EXPECT_EQ(y, std::vector<float>(y.size(), 77.0f));
}

}  // namespace
}  // namespace gemma3n::kernels
