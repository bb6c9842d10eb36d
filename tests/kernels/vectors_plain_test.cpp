// The vector functions that add and multiply: against the reference, at every size around the vector widths, off alignment.
#include "kernels/tables.h"

namespace gemma3n::kernels {
namespace {

using test::Guarded;
using test::normal;
using test::unit;

class PlainVectors : public test::OnTable {
protected:
    // f(x, y) of both tables over copies of the same data; |difference| <= unit * bound(i).
    template <class Run, class Bound>
    void compare(Run run, Bound bound) {
        for (int64_t n : test::edge_sizes()) {
            const std::vector<float> before = normal(n, 1);
            Guarded<float> x(before), y(normal(n, 2)), z(n), tx(before), ty(normal(n, 2)), tz(n);
            run(*k, x, y, n, z);
            run(truth, tx, ty, n, tz);
            for (int64_t i = 0; i < n; i++) {
                EXPECT_LE(std::fabs(x[i] - tx[i]), unit * bound(before[i], y[i])) << "x of " << n << " at " << i;
                EXPECT_LE(std::fabs(z[i] - tz[i]), unit * bound(before[i], y[i])) << "z of " << n << " at " << i;
            }
            EXPECT_TRUE(x.intact() && y.intact() && z.intact()) << n;
            EXPECT_EQ(y.values(), ty.values());
            if (HasFailure()) return;
        }
    }
};
ON_EVERY_TABLE(PlainVectors);

const auto exactly = [](float, float) { return 0.0; };

TEST_P(PlainVectors, Add) {
    compare([](const Table& t, float* x, float* y, int64_t n, float*) { t.add(x, y, n); }, exactly);
}
TEST_P(PlainVectors, Scale) {
    compare([](const Table& t, float* x, float*, int64_t n, float*) { t.scale(x, n, 0.7f); }, exactly);
}
TEST_P(PlainVectors, Multiply) {
    compare([](const Table& t, float* x, float* y, int64_t n, float* z) { t.multiply(x, y, n, z); }, exactly);
    compare([](const Table& t, float* x, float* y, int64_t n, float*) { t.multiply(x, y, n, x); }, exactly);
}
TEST_P(PlainVectors, SumScaled) {
    compare([](const Table& t, float* x, float* y, int64_t n, float* z) { t.sum_scaled(x, y, n, 0.3f, z); }, exactly);
    compare([](const Table& t, float* x, float* y, int64_t n, float*) { t.sum_scaled(x, y, n, 0.3f, x); }, exactly);
}
TEST_P(PlainVectors, AddScaled) {  // fused or not: one rounding of the product more or less
    compare([](const Table& t, float* x, float* y, int64_t n, float*) { t.add_scaled(x, y, n, 1.7f); },
            [](float x, float y) { return std::fabs(1.7f * y) + 2 * (std::fabs(x) + std::fabs(1.7f * y)); });
}
TEST_P(PlainVectors, ReluShift) {
    for (float cutoff : {-0.5f, 0.0f, 0.8f, 1e30f})
        compare([=](const Table& t, float* x, float*, int64_t n, float*) { t.relu_shift(x, n, cutoff); }, exactly);
}

TEST_P(PlainVectors, ReluShiftAtTheEdge) {
    Guarded<float> x(std::vector<float>{1.0f, std::nextafter(1.0f, 2.0f), std::nextafter(1.0f, 0.0f), -0.0f, 3e38f, -3e38f, 1e-40f});
    k->relu_shift(x, 7, 1.0f);
    EXPECT_EQ(x.values(), (std::vector<float>{0, std::nextafter(1.0f, 2.0f) - 1.0f, 0, 0, 3e38f, 0, 0}));
}

TEST_P(PlainVectors, Mix) {
    for (int64_t n : test::edge_sizes()) {
        for (int streams : {1, 2, 4, 5}) {
            const int64_t stride = n + 3;
            Guarded<float> base(normal(stride * streams, 3)), z(n), tz(n);
            const std::vector<float> c = normal(streams, 4);
            const int own = streams - 1;
            k->mix(base, stride, streams, own, c.data(), n, z);
            truth.mix(base, stride, streams, own, c.data(), n, tz);
            for (int64_t j = 0; j < n; j++) {
                double size = std::fabs(base[own * stride + j]);
                for (int i = 0; i < streams; i++) size += std::fabs(c[i] * base[i * stride + j]);
                EXPECT_LE(std::fabs(z[j] - tz[j]), 2 * (streams + 1) * unit * size) << n;
            }
            EXPECT_TRUE(z.intact() && base.intact()) << n;
        }
    }
}

TEST_P(PlainVectors, Rope) {
    for (int64_t half : test::edge_sizes()) {
        std::vector<float> cosines, sines;
        for (int64_t i = 0; i < half; i++) cosines.push_back(std::cos(0.37f * i)), sines.push_back(std::sin(0.37f * i));
        Guarded<float> x(normal(2 * half, 5)), tx(normal(2 * half, 5));
        k->rope(x, cosines.data(), sines.data(), half);
        truth.rope(tx, cosines.data(), sines.data(), half);
        const auto before = normal(2 * half, 5);
        for (int64_t i = 0; i < 2 * half; i++)
            EXPECT_LE(std::fabs(x[i] - tx[i]), 4 * unit * (std::fabs(before[i % half]) + std::fabs(before[i % half + half]))) << half;
        EXPECT_TRUE(x.intact()) << half;
    }
}

// A sum over n values in at least 16 (4 vectors of 4) chains, then a tree.
double chain(int64_t n) { return static_cast<double>(n) / 16 + 12; }

TEST_P(PlainVectors, SumSquares) {
    for (int64_t n : test::edge_sizes()) {
        Guarded<float> x(normal(n, 6));
        const double truth_sum = truth.sum_squares(x, n);
        EXPECT_NEAR(k->sum_squares(x, n), truth_sum, chain(n) * unit * truth_sum) << n;
    }
    EXPECT_EQ(k->sum_squares(nullptr, 0), 0.0f);
}

TEST_P(PlainVectors, RmsNorm) {
    for (int64_t n : test::edge_sizes()) {
        for (float size : {1.0f, 1e-3f, 1e4f}) {
            Guarded<float> x(normal(n, 7, size)), w(normal(n, 8)), y(n), ty(n);
            for (float* weight : {w.data(), static_cast<float*>(nullptr)}) {
                k->rms_norm(x, weight, n, 1e-6f, y);
                truth.rms_norm(x, weight, n, 1e-6f, ty);
                for (int64_t i = 0; i < n; i++) EXPECT_NEAR(y[i], ty[i], (chain(n) + 6) * unit * std::fabs(ty[i])) << n;
                EXPECT_TRUE(y.intact()) << n;
            }
            const auto apart = y.values();
            k->rms_norm(x, nullptr, n, 1e-6f, x);  // in place: the same bits
            EXPECT_EQ(x.values(), apart);
        }
    }
    Guarded<float> zeros(33);
    k->rms_norm(zeros, nullptr, 33, 1e-6f, zeros);
    EXPECT_EQ(zeros.values(), std::vector<float>(33));
}

TEST_P(PlainVectors, MeanDeviation) {
    for (int64_t n : test::edge_sizes()) {
        for (float centre : {0.0f, -3.0f, 1000.0f}) {  // at 1000 the mean of squares less the square of the mean has no digit left
            Guarded<float> x(normal(n, 9, 1, centre));
            float mean, deviation, true_mean, true_deviation;
            k->mean_deviation(x, n, &mean, &deviation);
            truth.mean_deviation(x, n, &true_mean, &true_deviation);
            double size = 0;
            for (int64_t i = 0; i < n; i++) size += std::fabs(x[i]);
            const double mean_bound = (chain(n) + 2) * unit * size / static_cast<double>(n);
            EXPECT_NEAR(mean, true_mean, mean_bound) << n;
            // a mean that is off by m makes the deviation sqrt(d^2 + m^2); the rest is rounding
            const double off = std::sqrt(static_cast<double>(true_deviation) * true_deviation + mean_bound * mean_bound) - true_deviation;
            EXPECT_NEAR(deviation, true_deviation, off + (chain(n) + 4) * unit * (true_deviation + off)) << n << " around " << centre;
        }
    }
}

TEST_P(PlainVectors, DeviationOfEqualValuesIsZero) {
    for (int64_t n : {1, 5, 16, 37, 64}) {
        Guarded<float> x(n, 0.5f);
        float mean, deviation;
        k->mean_deviation(x, n, &mean, &deviation);
        EXPECT_EQ(mean, 0.5f);
        EXPECT_EQ(deviation, 0.0f);
    }
}

TEST_P(PlainVectors, HalvesRoundToNearestEven) {
    std::vector<float> x = {0.0f, -0.0f, 1.0f, 65504.0f, 65519.0f, 65520.0f, -7e4f, INFINITY, -INFINITY, 1e-8f, 2.98023224e-8f, 2.99e-8f, 6e-8f, 6.0e-5f, 6.1e-5f};
    for (int i = 0; i < 4096; i++) x.push_back(f16_to_f32(static_cast<uint16_t>(i * 16 + 3)) + (i % 3 - 1) * 1e-4f);
    for (uint16_t h = 1; h < 2048; h += 7) {  // ties
        const float a = f16_to_f32(h), b = f16_to_f32(static_cast<uint16_t>(h + 1));
        x.push_back((a + b) / 2);
        x.push_back(-(a + b) / 2);
    }
    std::erase_if(x, [](float f) { return std::isnan(f); });
    const auto n = static_cast<int64_t>(x.size());
    Guarded<uint16_t> h(n);
    k->f32_to_f16(x.data(), n, h);
    for (int64_t i = 0; i < n; i++) EXPECT_EQ(h[i], f32_to_f16(x[i])) << x[i];
    EXPECT_TRUE(h.intact());
    for (int64_t size : test::edge_sizes()) {
        Guarded<uint16_t> to(size);
        const auto from = normal(size, 10);
        k->f32_to_f16(from.data(), size, to);
        for (int64_t i = 0; i < size; i++) ASSERT_EQ(to[i], f32_to_f16(from[i])) << size;
        EXPECT_TRUE(to.intact()) << size;
    }
}

TEST_P(PlainVectors, EveryHalfAndBfloat) {
    std::vector<uint16_t> bits(65536);
    for (int i = 0; i < 65536; i++) bits[i] = static_cast<uint16_t>(i);
    std::vector<float> f(65536);
    k->to_f32[static_cast<int>(DType::f16)](reinterpret_cast<const std::byte*>(bits.data()), 65536, f.data());
    for (int i = 0; i < 65536; i++) {
        if (std::isnan(f16_to_f32(bits[i]))) ASSERT_TRUE(std::isnan(f[i])) << i;
        else ASSERT_EQ(f32_to_bits(f[i]), f32_to_bits(f16_to_f32(bits[i]))) << i;
    }
    k->to_f32[static_cast<int>(DType::bf16)](reinterpret_cast<const std::byte*>(bits.data()), 65536, f.data());
    for (int i = 0; i < 65536; i++) ASSERT_EQ(f32_to_bits(f[i]), f32_to_bits(bf16_to_f32(bits[i]))) << i;
}

TEST_P(PlainVectors, ToF32OfEveryType) {
    for (DType t : {DType::f32, DType::f16, DType::bf16, DType::q4_0, DType::q5_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
        std::vector<int64_t> sizes = test::edge_sizes();
        if (is_quantised(t)) sizes = {info(t).block, 2 * info(t).block, 7 * info(t).block};
        for (int64_t n : sizes) {
            const test::Matrix m(t, 1, n, 11);
            std::vector<std::byte> odd(m.bytes.size() + 2);  // halves on even addresses are all a file promises
            memcpy(odd.data() + 2, m.bytes.data(), m.bytes.size());
            const bool four = t == DType::f32;
            Guarded<float> y(n);
            k->to_f32[static_cast<int>(t)](four ? m.bytes.data() : odd.data() + 2, n, y);
            const auto expected = m.row(0);
            for (int64_t i = 0; i < n; i++) {
                // q4_k subtracts a minimum, fused or not: terms up to 63 * 15 * scale
                const double bound = t == DType::q4_k ? 2 * unit * 63 * 16 * 0.06 : 0;
                ASSERT_NEAR(y[i], expected[i], bound) << info(t).name << " " << n << " at " << i;
            }
            EXPECT_TRUE(y.intact()) << info(t).name << " " << n;
        }
    }
}

}  // namespace
}  // namespace gemma3n::kernels
