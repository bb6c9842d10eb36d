// The vector functions with an exponential in them: against double precision, over the range of the inputs and at its ends.
#include "kernels/tables.h"

#include <limits>

namespace gemma3n::kernels {
namespace {

using test::Guarded;
using test::normal;
using test::unit;

class ExpVectors : public test::OnTable {};
ON_EVERY_TABLE(ExpVectors);

// Dense from -range to range, with the neighbourhood of 0 down to denormals.
std::vector<float> sweep(float range) {
    std::vector<float> x;
    for (int i = -20000; i <= 20000; i++) x.push_back(range * static_cast<float>(i) / 20000);
    for (float e = 1; e > 0; e /= 3) x.push_back(e), x.push_back(-e);
    return x;
}

TEST_P(ExpVectors, GeluMul) {
    const std::vector<float> gate = sweep(20);
    const auto n = static_cast<int64_t>(gate.size());
    const std::vector<float> up = normal(n, 1);
    Guarded<float> y(n);
    k->gelu_mul(gate.data(), up.data(), n, y);
    for (int64_t i = 0; i < n; i++) {
        const double g = gate[i], u = 0.79788456080286535588 * (g + 0.044715 * g * g * g), gelu = g / (1 + std::exp(-2 * u));
        // towards -20 gelu is g * e^2u: an error of u counts 2u times, and below g * 1e-38 there is nothing to keep; the reference's
        // 1 + tanh(u) keeps no more than a rounding of 1 there
        const double bound = k == &truth ? 4 * unit * std::fabs(g) : (8 * unit * (1 + std::fabs(u))) * std::fabs(gelu) + 1e-38 * (1 + std::fabs(g));
        ASSERT_NEAR(y[i], gelu * up[i], bound * std::fabs(up[i]) + 2 * unit * std::fabs(gelu * up[i]) + 1e-44) << gate[i];
    }
    EXPECT_TRUE(y.intact());
}

TEST_P(ExpVectors, GeluOfLargeGates) {
    Guarded<float> g(std::vector<float>{1e4f, -1e4f, 3e38f, -3e38f, 0.0f, -0.0f, 50, -50, 11}), one(9, 1.0f);
    k->gelu_mul(g, one, 9, g);
    EXPECT_EQ(g[0], 1e4f);
    EXPECT_NEAR(g[1], 0, 1e-33);
    EXPECT_EQ(g[2], 3e38f);
    EXPECT_NEAR(g[3], 0, 3.1);  // e^-88 times the largest float
    EXPECT_EQ(g[4], 0);
    EXPECT_EQ(g[5], 0);
    EXPECT_EQ(g[6], 50);
    EXPECT_NEAR(g[7], 0, 1e-36);
    EXPECT_EQ(g[8], 11);
}

TEST_P(ExpVectors, GeluMulAtEverySize) {
    for (int64_t n : test::edge_sizes()) {
        Guarded<float> gate(normal(n, 2, 3)), up(normal(n, 3)), y(n), ty(n);
        k->gelu_mul(gate, up, n, y);
        truth.gelu_mul(gate, up, n, ty);
        for (int64_t i = 0; i < n; i++) EXPECT_NEAR(y[i], ty[i], 8 * unit * std::fabs(gate[i] * up[i])) << n;
        EXPECT_TRUE(y.intact()) << n;
        const auto apart = y.values();
        k->gelu_mul(gate, up, n, gate);
        EXPECT_EQ(gate.values(), apart);
    }
}

TEST_P(ExpVectors, GeluIsGeluMulByOne) {
    for (int64_t n : test::edge_sizes()) {
        const std::vector<float> x = normal(n, 2, 3), one(static_cast<size_t>(n), 1.0f);
        Guarded<float> y(x), expected(n);
        k->gelu(y, n);
        k->gelu_mul(x.data(), one.data(), n, expected);
        EXPECT_EQ(y.values(), expected.values());
        EXPECT_TRUE(y.intact()) << n;
    }
}

TEST_P(ExpVectors, SiluAndGlu) {
    std::vector<float> x = sweep(80);
    const auto n = static_cast<int64_t>(x.size());
    const std::vector<float> up = normal(n, 1);
    Guarded<float> y(x), z(n);
    k->silu(y, n);
    k->glu(up.data(), x.data(), n, z);
    for (int64_t i = 0; i < n; i++) {
        const double sigmoid = 1 / (1 + std::exp(-static_cast<double>(x[i])));
        ASSERT_NEAR(y[i], x[i] * sigmoid, 8 * unit * std::fabs(x[i]) * sigmoid + 1e-44) << x[i];
        ASSERT_NEAR(z[i], up[i] * sigmoid, 8 * unit * std::fabs(up[i]) * sigmoid + 1e-44) << x[i];
    }
    EXPECT_TRUE(y.intact() && z.intact());
    for (int64_t size : test::edge_sizes()) {
        Guarded<float> a(normal(size, 4, 3)), b(normal(size, 5, 3)), t(a.values()), out(size);
        k->silu(a, size);
        truth.silu(t, size);
        for (int64_t i = 0; i < size; i++) EXPECT_NEAR(a[i], t[i], 8 * unit * std::fabs(t[i])) << size;
        k->glu(t, b, size, out);
        k->glu(t, b, size, t);  // in place
        EXPECT_EQ(t.values(), out.values());
        EXPECT_TRUE(a.intact() && out.intact() && t.intact()) << size;
    }
}

TEST_P(ExpVectors, Softcap) {
    for (float cap : {30.0f, 50.0f, 0.5f}) {
        const std::vector<float> x = sweep(12 * cap);
        const auto n = static_cast<int64_t>(x.size());
        Guarded<float> y(x);
        k->softcap(y, n, cap);
        for (int64_t i = 0; i < n; i++) {
            const double expected = cap * std::tanh(static_cast<double>(x[i] / cap));
            ASSERT_NEAR(y[i], expected, 5 * unit * std::fabs(expected) + 1e-44 * cap) << x[i] << " cap " << cap;
            ASSERT_LE(std::fabs(y[i]), cap);
        }
        EXPECT_TRUE(y.intact());
    }
    for (int64_t n : test::edge_sizes()) {
        Guarded<float> y(normal(n, 4, 40)), t(normal(n, 4, 40));
        k->softcap(y, n, 30);
        truth.softcap(t, n, 30);
        for (int64_t i = 0; i < n; i++) EXPECT_NEAR(y[i], t[i], 6 * unit * std::fabs(t[i])) << n;
        EXPECT_TRUE(y.intact()) << n;
    }
}

TEST_P(ExpVectors, SoftcapIsMonotone) {  // candidates may be chosen before the cap
    std::vector<float> x = sweep(90);
    std::sort(x.begin(), x.end());
    Guarded<float> y(x);
    k->softcap(y, static_cast<int64_t>(x.size()), 30);
    // where two formulas meet and where the slope is small a step may fall by a rounding, never more
    for (size_t i = 1; i < x.size(); i++) ASSERT_GE(y[i], y[i - 1] - 4 * unit * std::fabs(y[i - 1])) << x[i];
}

TEST_P(ExpVectors, SoftcapOfInfinities) {
    Guarded<float> y(std::vector<float>{INFINITY, -INFINITY, 3e38f, -3e38f});
    k->softcap(y, 4, 30);
    EXPECT_EQ(y.values(), (std::vector<float>{30, -30, 30, -30}));
}

TEST_P(ExpVectors, Softmax) {
    for (int64_t n : test::edge_sizes()) {
        for (float size : {0.1f, 5.0f, 40.0f}) {
            const std::vector<float> x = normal(n, 5, size);
            Guarded<float> y(x);
            k->softmax(y, n);
            const float largest = *std::max_element(x.begin(), x.end());
            double sum = 0;
            for (float v : x) sum += std::exp(static_cast<double>(v - largest));
            for (int64_t i = 0; i < n; i++) {
                const double expected = std::exp(static_cast<double>(x[i] - largest)) / sum;
                EXPECT_NEAR(y[i], expected, (static_cast<double>(n) / 4 + 12) * unit * expected + 1.3e-38) << n << " at " << i;
            }
            EXPECT_TRUE(y.intact()) << n;
        }
    }
}

TEST_P(ExpVectors, SoftmaxOfSpecialScores) {
    Guarded<float> one(1, -1e30f), equal(19, 88.0f), far(std::vector<float>{3e38f, -3e38f, 0}), masked(std::vector<float>{-INFINITY, 2, -INFINITY, 2});
    k->softmax(one, 1);
    EXPECT_EQ(one[0], 1);
    k->softmax(equal, 19);
    for (float p : equal.values()) EXPECT_NEAR(p, 1.0 / 19, 2 * unit);
    k->softmax(far, 3);
    EXPECT_EQ(far.values(), (std::vector<float>{1, 0, 0}));
    k->softmax(masked, 4);
    EXPECT_EQ(masked.values(), (std::vector<float>{0, 0.5f, 0, 0.5f}));
}

// The relative error of e^x itself, read off a softmax of two: p1 / p0 = e^(x1 - x0).
TEST_P(ExpVectors, Exponential) {
    double worst = 0;
    for (int i = 0; i < 80000; i++) {
        const float x = -static_cast<float>(i) / 1000;
        float s[2] = {0, x};
        k->softmax(s, 2);
        const double expected = std::exp(static_cast<double>(x));
        worst = std::max(worst, std::fabs(static_cast<double>(s[1]) / s[0] / expected - 1));
    }
    EXPECT_LE(worst, 2e-7 + 2 * unit);  // and the rounding of two products
}

TEST_P(ExpVectors, ANanStaysOne) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (int64_t n : {1, 20}) {
        Guarded<float> g(n, nan), up(n, 1.0f), x(n, nan), s(n, nan);
        k->gelu_mul(g, up, n, g);
        k->softcap(x, n, 30);
        k->softmax(s, n);
        for (int64_t i = 0; i < n; i++) EXPECT_TRUE(std::isnan(g[i]) && std::isnan(x[i]) && std::isnan(s[i]));
    }
}

}  // namespace
}  // namespace gemma3n::kernels
