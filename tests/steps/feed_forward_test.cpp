// The sparse feed-forward: the weights of neurons whose gate is closed are not read in small steps, and the result is that of reading all.
#include "steps/cpu.h"

#include "kernels/tables.h"

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

struct Layer {
    kernels::test::Matrix gate, up, down;
    Pool pool{2};
    Arena inputs;
    View h = inputs.view(kernels::matvec_max_rows, d);
    const kernels::Table* k;

    Layer(const kernels::Table* table, DType type) : gate(type, ff, d, 1), up(type, ff, d, 2), down(type, d, ff, 3), k(table) {
        std::mt19937 random(4);
        std::normal_distribution<float> normal;
        for (int64_t i = 0; i < kernels::matvec_max_rows * d; i++) h.f32()[i] = normal(random);
    }
    std::vector<float> run(const View& rows, float multiplier, InputObserver* all_of_it = nullptr) {
        Arena scratch;
        Context c{*k, pool, scratch, false, all_of_it};
        const Buffer buffers[3] = {{gate.bytes.data(), gate.bytes.size()}, {up.bytes.data(), up.bytes.size()}, {down.bytes.data(), down.bytes.size()}};
        const auto view = [&](int which, const kernels::test::Matrix& m) { return View{&buffers[which], 0, m.type, m.rows, m.k, m.stride}; };
        Arena results;
        const View out = results.view(rows.n_rows, d);
        CpuSteps().gated_ffn(c, {rows, view(0, gate), view(1, up), view(2, down), multiplier, out});
        return {out.f32(), out.f32() + rows.n_rows * d};
    }
    // Neurons whose gate no row opens, from the definition in double, by more than 8-bit activations can change.
    std::vector<int64_t> closed(const View& rows, float multiplier) const {
        std::vector<int64_t> all;
        std::vector<bool> open(ff, false);
        for (int64_t r = 0; r < rows.n_rows; r++) {
            std::vector<double> g(ff, 0);
            double mean = 0, square = 0;
            for (int64_t j = 0; j < ff; j++) {
                const std::vector<float> w = gate.row(j);
                for (int64_t i = 0; i < d; i++) g[j] += static_cast<double>(w[static_cast<size_t>(i)]) * rows.f32(r)[i];
                mean += g[j] / ff, square += g[j] * g[j] / ff;
            }
            const double deviation = std::sqrt(square - mean * mean), cut = mean + multiplier * deviation, margin = deviation / 10;
            for (int64_t j = 0; j < ff; j++) open[j] = open[j] || g[j] > cut - margin;
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

class SparseFeedForward : public kernels::test::OnTable {};
INSTANTIATE_TEST_SUITE_P(, SparseFeedForward, testing::ValuesIn(kernels::test::table_names()), kernels::test::test_name);
constexpr DType types[] = {DType::f32, DType::bf16, DType::q4_0, DType::q6_k};

TEST_P(SparseFeedForward, IsTheDenseOneBitForBit) {
    Everything everything;
    for (const DType type : types) {
        Layer layer(k, type);
        for (const int64_t n : {1, 2, 5, 9, 16}) {
            const View rows = layer.h.rows(0, n);
            const std::vector<float> some = layer.run(rows, five_percent), all = layer.run(rows, five_percent, &everything);
            ASSERT_EQ(0, memcmp(some.data(), all.data(), some.size() * sizeof(float))) << info(type).name << ", " << n << " rows";
        }
    }
}

TEST_P(SparseFeedForward, LeavesTheWeightsOfClosedNeuronsUnread) {
    Everything everything;
    for (const DType type : {DType::f32, DType::q4_0}) {
        Layer layer(k, type);
        for (const int64_t n : {1, 3}) {
            const View rows = layer.h.rows(0, n);
            const std::vector<float> before = layer.run(rows, five_percent);
            const std::vector<int64_t> closed = layer.closed(rows, five_percent);
            ASSERT_GT(closed.size(), static_cast<size_t>(ff) * 7 / 10);
            const std::vector<std::byte> kept = layer.up.bytes;
            for (const int64_t j : closed) {  // the first value, or the first block's scale, is no number
                std::byte* row = layer.up.bytes.data() + static_cast<uint64_t>(j) * layer.up.stride;
                const float single = std::numeric_limits<float>::quiet_NaN();
                const uint16_t half = 0x7E00;
                if (type == DType::f32) memcpy(row, &single, 4);
                else memcpy(row, &half, 2);
            }
            const std::vector<float> after = layer.run(rows, five_percent), read = layer.run(rows, five_percent, &everything);
            layer.up.bytes = kept;
            EXPECT_EQ(0, memcmp(before.data(), after.data(), before.size() * sizeof(float))) << info(type).name << ", " << n << " rows";
            EXPECT_NE(0, memcmp(before.data(), read.data(), before.size() * sizeof(float))) << info(type).name << ": the trap would not show";
        }
    }
}

TEST_P(SparseFeedForward, ReadsWhatIsOpenWhereMostIs) {
    Everything everything;
    Layer layer(k, DType::q4_0);
    for (const float multiplier : {0.1f, -1.0f, -std::numeric_limits<float>::infinity()}) {
        const View rows = layer.h.rows(0, 4);
        EXPECT_EQ(layer.run(rows, multiplier), layer.run(rows, multiplier, &everything)) << multiplier;
    }
}

TEST_P(SparseFeedForward, AGateThatIsNoNumberIsOpen) {
    Layer layer(k, DType::f32);
    layer.h.f32()[3] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(layer.run(layer.h.rows(0, 1), five_percent)[0]));
}

}  // namespace
}  // namespace gemma3n::steps::test
