#include "synth/fill.h"

#include "kernels/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace gemma3n::synth {
namespace {

std::vector<float> values(const Tensor& t, DType type, uint64_t seed = 1) {
    std::vector<std::byte> raw(chunk_values * sizeof(float));
    std::vector<float> out(static_cast<size_t>(t.n_values()));
    for (int64_t done = 0, chunk = 0; done < t.n_values(); chunk++) {
        const uint64_t bytes = fill_chunk(t, type, seed, chunk, raw.data());
        const int64_t n = std::min(chunk_values, t.n_values() - done);
        EXPECT_EQ(bytes, row_bytes(type, n));
        kernels::reference().to_f32[static_cast<int>(type)](raw.data(), n, out.data() + done);
        done += n;
    }
    return out;
}

struct Moments {
    double mean = 0, deviation = 0;
    explicit Moments(const std::vector<float>& v) {
        double sum = 0, squares = 0;
        for (const float x : v) sum += x, squares += static_cast<double>(x) * x;
        const double n = static_cast<double>(v.size());
        mean = sum / n;
        deviation = std::sqrt(squares / n - mean * mean);
    }
};

class Fill : public testing::TestWithParam<DType> {};

// the narrowest and the widest row of the published networks: half scales are small numbers there
TEST_P(Fill, MatricesHaveZeroMeanAndTheDeviationOfTheirRows) {
    for (const int64_t cols : {256, 2048, 16384}) {
        const Tensor t{"layers.3.mlp.down_proj.weight", {(int64_t{1} << 21) / cols, cols}, 1 / std::sqrt(static_cast<double>(cols))};
        const Moments m(values(t, GetParam()));
        EXPECT_NEAR(m.deviation / t.scale, 1, 0.02) << cols;
        EXPECT_NEAR(m.mean / t.scale, 0, 0.005) << cols;
    }
}

TEST_P(Fill, EveryRowHasAboutTheSameDeviation) {
    const Tensor t{"layers.3.mlp.up_proj.weight", {512, 2048}, 1 / std::sqrt(2048.0)};
    const std::vector<float> all = values(t, GetParam());
    for (int64_t r = 0; r < 512; r++) {
        const Moments m(std::vector<float>(all.begin() + r * 2048, all.begin() + (r + 1) * 2048));
        ASSERT_NEAR(m.deviation / t.scale, 1, 0.15) << r;
        ASSERT_NEAR(m.mean / t.scale, 0, 0.15) << r;
    }
}

TEST_P(Fill, SeedAndNameMakeTheValues) {
    const Tensor a{"layers.3.mlp.up_proj.weight", {8, 256}, 0.1}, b{"layers.4.mlp.up_proj.weight", {8, 256}, 0.1};
    EXPECT_EQ(values(a, GetParam(), 1), values(a, GetParam(), 1));
    EXPECT_NE(values(a, GetParam(), 1), values(a, GetParam(), 2));
    EXPECT_NE(values(a, GetParam(), 1), values(b, GetParam(), 1));
}

TEST_P(Fill, ATensorOfMoreRowsBeginsWithTheSameValues) {
    const Tensor small{"embed_tokens.weight", {5000, 256}, 0.1}, large{"embed_tokens.weight", {5128, 256}, 0.1};  // more than a chunk
    const std::vector<float> a = values(small, GetParam()), b = values(large, GetParam());
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
}

INSTANTIATE_TEST_SUITE_P(Types, Fill, testing::Values(DType::f32, DType::f16, DType::bf16, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0, DType::q2_k,
                                         DType::q3_k, DType::q4_k, DType::q5_k, DType::q6_k, DType::iq4_nl, DType::iq4_xs),
                         [](const auto& p) { return std::string(dtype_infos[static_cast<int>(p.param)].name); });

TEST(FillVectors, LieAroundTheirScale) {
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        const Tensor t{"layers.3.input_layernorm.weight", {2048}, 0.5};
        for (const float v : values(t, type)) {
            ASSERT_GE(v, 0.374);
            ASSERT_LE(v, 0.626);
        }
        EXPECT_NEAR(Moments(values(t, type)).deviation, 0.5 * 0.25 / std::sqrt(3), 0.005);
        const Tensor minus_one{"layers.3.input_layernorm.weight", {2048}, 1, -1};
        EXPECT_NEAR(Moments(values(minus_one, type)).mean, 0, 0.02);
        const Tensor signs{"norm.weight", {2048}, 4, 0, true};
        int negative = 0;
        for (const float v : values(signs, type)) {
            negative += v < 0;
            ASSERT_GE(std::fabs(v), 2.99);
        }
        EXPECT_NEAR(negative, 1024, 150);
    }
}

}  // namespace
}  // namespace gemma3n::synth
