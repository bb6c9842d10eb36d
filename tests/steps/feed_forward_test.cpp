// The sparse feed-forward: the weights of neurons whose gate is closed are not read in small steps, and the result is that of reading all.
#include "steps/cpu.h"

#include "kernels/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace gemma3n::steps::test {
namespace {

constexpr int64_t d = 256, ff = 2048;
constexpr float five_percent = 1.6448536f;  // the quantile that closes 95 % of the gates

struct Matrix {
    std::vector<float> values;
    Buffer buffer;
    View view;
    Matrix(int64_t rows, int64_t cols, uint32_t seed) : values(static_cast<size_t>(rows * cols)) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        for (float& v : values) v = normal(random) / 16;
        buffer = {reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(float)};
        view = {&buffer, 0, DType::f32, rows, cols, static_cast<uint64_t>(cols) * sizeof(float)};
    }
};

struct Layer {
    Matrix gate{ff, d, 1}, up{ff, d, 2}, down{d, ff, 3}, h{kernels::matvec_max_rows, d, 4};
    Pool pool{2};

    std::vector<float> run(const View& rows, float multiplier, InputObserver* all_of_it = nullptr) {
        Arena scratch;
        Context c{*kernels::choose(), pool, scratch, false, all_of_it};
        Arena results;
        const View out = results.view(rows.n_rows, d);
        CpuSteps().gated_ffn(c, {rows, gate.view, up.view, down.view, multiplier, out});
        return {out.f32(), out.f32() + rows.n_rows * d};
    }
    // Neurons whose gate no row opens, from the definition in double.
    std::vector<int64_t> closed(const View& rows, float multiplier) const {
        std::vector<int64_t> all;
        std::vector<bool> open(ff, false);
        for (int64_t r = 0; r < rows.n_rows; r++) {
            std::vector<double> g(ff, 0);
            double mean = 0, square = 0;
            for (int64_t j = 0; j < ff; j++) {
                for (int64_t i = 0; i < d; i++) g[j] += static_cast<double>(gate.values[static_cast<size_t>(j * d + i)]) * rows.f32(r)[i];
                mean += g[j] / ff, square += g[j] * g[j] / ff;
            }
            const double cut = mean + multiplier * std::sqrt(square - mean * mean);
            for (int64_t j = 0; j < ff; j++) open[j] = open[j] || g[j] > cut - 1e-4;
        }
        for (int64_t j = 0; j < ff; j++)
            if (!open[j]) all.push_back(j);
        return all;
    }
};

// Who asks to see what goes into products sees all of them: that way reads every weight.
struct Everything : InputObserver {
    void input(const View&, const View&) override {}
};

TEST(SparseFeedForward, IsTheDenseOneBitForBit) {
    Layer layer;
    Everything everything;
    for (const int64_t n : {1, 2, 5, 9, 16}) {
        const View rows = layer.h.view.rows(0, n);
        const std::vector<float> some = layer.run(rows, five_percent), all = layer.run(rows, five_percent, &everything);
        ASSERT_EQ(0, memcmp(some.data(), all.data(), some.size() * sizeof(float))) << n << " rows";
    }
}

TEST(SparseFeedForward, LeavesTheWeightsOfClosedNeuronsUnread) {
    Layer layer;
    Everything everything;
    for (const int64_t n : {1, 3}) {
        const View rows = layer.h.view.rows(0, n);
        const std::vector<float> before = layer.run(rows, five_percent);
        const std::vector<int64_t> closed = layer.closed(rows, five_percent);
        ASSERT_GT(closed.size(), static_cast<size_t>(ff) * 8 / 10);
        const std::vector<float> kept = layer.up.values;
        for (const int64_t j : closed) layer.up.values[static_cast<size_t>(j * d)] = std::numeric_limits<float>::quiet_NaN();
        const std::vector<float> after = layer.run(rows, five_percent), read = layer.run(rows, five_percent, &everything);
        layer.up.values = kept;
        EXPECT_EQ(0, memcmp(before.data(), after.data(), before.size() * sizeof(float))) << n << " rows";
        EXPECT_TRUE(std::isnan(read[0])) << "the trap would not show";
    }
}

TEST(SparseFeedForward, ReadsWhatIsOpenWhereMostIs) {
    Layer layer;
    Everything everything;
    for (const float multiplier : {0.1f, -1.0f, -std::numeric_limits<float>::infinity()}) {
        const View rows = layer.h.view.rows(0, 4);
        EXPECT_EQ(layer.run(rows, multiplier), layer.run(rows, multiplier, &everything)) << multiplier;
    }
}

}  // namespace
}  // namespace gemma3n::steps::test
