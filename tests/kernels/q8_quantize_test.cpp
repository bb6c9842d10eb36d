// Activations to 8 bit: the same bits on every table, the padding that the products rely on.
#include "kernels/q8.h"

namespace gemma3n::kernels {
namespace {

class Q8Quantize : public test::OnTable {
protected:
    struct Out {
        std::vector<int8_t> q;
        std::vector<float> scale;
        std::vector<int16_t> sum;
    };
    static Out run(const Table& t, const std::vector<float>& x) {
        const int64_t n = static_cast<int64_t>(x.size());
        test::Guarded<int8_t> q(test::up_to(n, 64), 55);
        test::Guarded<float> scale(test::up_to(n / 32, 16), 55);
        test::Guarded<int16_t> sum(test::up_to(n / 16, 32), 55);
        t.quantize_q8(x.data(), n, q, scale, sum);
        EXPECT_TRUE(q.intact() && scale.intact() && sum.intact()) << t.name << " wrote beyond the padding, k=" << n;
        return {q.values(), scale.values(), sum.values()};
    }
    void expect_equal(const std::vector<float>& x) {
        const Out got = run(*k, x), want = run(truth, x);
        EXPECT_EQ(got.q, want.q) << x.size();
        EXPECT_EQ(got.sum, want.sum) << x.size();
        ASSERT_EQ(got.scale.size(), want.scale.size());
        for (size_t b = 0; b < want.scale.size(); b++) {
            if (std::isnan(want.scale[b])) EXPECT_TRUE(std::isnan(got.scale[b])) << b;
            else EXPECT_EQ(got.scale[b], want.scale[b]) << b;
        }
    }
};
ON_EVERY_TABLE(Q8Quantize);

TEST_P(Q8Quantize, SameBitsAsTheReference) {
    for (int64_t blocks = 1; blocks <= 70; blocks++)
        for (float size : {1e-20f, 1.0f, 1e20f}) expect_equal(test::normal(32 * blocks, static_cast<uint64_t>(blocks), size));
}

TEST_P(Q8Quantize, TiesGoToEven) {
    std::vector<float> x(32, 0.5f);
    x[0] = 127;  // scale 1
    for (int i = 1; i < 32; i++) x[i] = static_cast<float>(i - 16) + 0.5f;
    const Out out = run(*k, x);
    EXPECT_EQ(out.scale[0], 1);
    for (int i = 1; i < 32; i++) EXPECT_EQ(out.q[i], static_cast<int>(std::nearbyint(x[i]))) << x[i];
    expect_equal(x);
}

TEST_P(Q8Quantize, SumsAreThoseOfTheQuants) {
    const std::vector<float> x = test::normal(512, 1);
    const Out out = run(*k, x);
    for (int s = 0; s < 32; s++) {
        int total = 0;
        for (int i = 0; i < 16; i++) total += out.q[16 * s + i];
        EXPECT_EQ(out.sum[s], total);
    }
}

TEST_P(Q8Quantize, PaddingIsZero) {
    for (int64_t blocks : {1, 2, 3, 15, 16, 17, 31, 33}) {
        const Out out = run(*k, std::vector<float>(static_cast<size_t>(32 * blocks), 1.0f));
        for (size_t i = 32 * blocks; i < out.q.size(); i++) EXPECT_EQ(out.q[i], 0);
        for (size_t i = blocks; i < out.scale.size(); i++) EXPECT_EQ(out.scale[i], 0);
        for (size_t i = 2 * blocks; i < out.sum.size(); i++) EXPECT_EQ(out.sum[i], 0);
    }
}

TEST_P(Q8Quantize, Extremes) {
    for (float v : {0.0f, -0.0f, 1e-45f, 1e-38f, 1e-36f, 1.0001e-36f, 3.4e38f, -3.4e38f}) {
        expect_equal(std::vector<float>(96, v));
        std::vector<float> x = test::normal(96, 1);
        x[40] = v;
        expect_equal(x);
    }
    for (float v : {INFINITY, -INFINITY, NAN, -NAN}) {
        std::vector<float> x = test::normal(96, 1);
        for (int at : {32, 47, 63}) {
            x = test::normal(96, 1);
            x[at] = v;
            expect_equal(x);
            EXPECT_FALSE(std::isfinite(run(*k, x).scale[1]));
        }
    }
}

}  // namespace
}  // namespace gemma3n::kernels
