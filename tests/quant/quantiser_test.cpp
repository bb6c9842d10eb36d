// The quantisers, held against llama.cpp's own by the error that is left, and the blocks that are easy to get wrong.
#include "quant/quantiser.h"

#include "kernels/table.h"
#include "quant/formula_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <optional>

namespace gemma3n::quant {
namespace {

std::optional<DType> type_named(const std::string& name) {
    for (int t = 0; t < n_dtypes; t++)
        if (dtype_infos[t].name == name) return static_cast<DType>(t);
    return std::nullopt;
}

std::vector<float> there_and_back(DType type, const std::vector<float>& x, int64_t cols, const float* importance) {
    std::vector<std::byte> blocks(row_bytes(type, cols));
    std::vector<float> y(x.size());
    for (size_t at = 0; at < x.size(); at += static_cast<size_t>(cols)) {
        quantiser(type)(x.data() + at, cols, importance, blocks.data());
        kernels::reference().to_f32[static_cast<int>(type)](blocks.data(), cols, y.data() + at);
    }
    return y;
}

std::vector<DType> block_types() {
    std::vector<DType> types;
    for (int t = 0; t < n_dtypes; t++)
        if (is_quantised(static_cast<DType>(t)) && quantiser(static_cast<DType>(t))) types.push_back(static_cast<DType>(t));
    return types;
}

// The golden says what llama.cpp's quantiser of the same type leaves (tools/oracle/quant_goldens.py).
TEST(Quantiser, LosesNoMoreThanTheReference) {
    std::ifstream file(G3N_SOURCE_DIR "/tests/quant/data/llama_rms.txt");
    ASSERT_TRUE(file);
    const std::vector<float> importance = test::formula_importance();
    std::string type_name, data, how;
    double reference;
    int seen = 0;
    while (file >> type_name >> data >> how >> reference) {
        const auto type = type_named(type_name);
        if (!type || !quantiser(*type)) continue;
        const bool weighted = how == "weighted";
        const std::vector<float> x = test::formula_data(data), y = there_and_back(*type, x, test::formula_cols, weighted ? importance.data() : nullptr);
        double sum = 0;
        for (size_t i = 0; i < x.size(); i++) {
            const double miss = static_cast<double>(x[i]) - static_cast<double>(y[i]);
            sum += miss * miss * (weighted ? static_cast<double>(importance[i % test::formula_cols]) : 1);
        }
        const double rms = std::sqrt(sum / static_cast<double>(x.size()));
        EXPECT_LE(rms, 1.02 * reference) << type_name << " " << data << " " << how << ": ratio " << rms / reference;
        printf("%-7s %-8s %-9s %.4f of llama.cpp's\n", type_name.c_str(), data.c_str(), how.c_str(), rms / reference);
        seen++;
    }
    EXPECT_EQ(seen, static_cast<int>(block_types().size()) * 4) << "every type has its numbers";
}

TEST(Quantiser, ZerosStayZeros) {
    const std::vector<float> x(256, 0.0f);
    for (const DType t : block_types()) EXPECT_EQ(there_and_back(t, x, 256, nullptr), x) << info(t).name;
}

// Every value one and the same: within half a step of a scale of six bits.
TEST(Quantiser, ConstantsAndSingleValues) {
    for (const DType t : block_types()) {
        for (const float c : {1.0f, -1.0f, 300.0f}) {
            const std::vector<float> y = there_and_back(t, std::vector<float>(256, c), 256, nullptr);
            for (const float v : y) ASSERT_NEAR(v, c, std::fabs(c) * 0.02f) << info(t).name;
            std::vector<float> one(256, 0.0f);
            one[77] = c;
            const std::vector<float> z = there_and_back(t, one, 256, nullptr);
            for (size_t i = 0; i < z.size(); i++) ASSERT_NEAR(z[i], one[i], std::fabs(c) * 0.02f) << info(t).name << " " << i;
        }
    }
}

TEST(Quantiser, TinyAndLargestValuesGiveFiniteBlocks) {
    for (const DType t : block_types()) {
        for (const float c : {1e-38f, 1e-30f, 6e-8f, 65504.0f, -65504.0f}) {
            std::vector<float> x(256);
            for (size_t i = 0; i < x.size(); i++) x[i] = c * (i % 3 == 0 ? 1.0f : -0.3f);
            for (const float v : there_and_back(t, x, 256, nullptr)) ASSERT_TRUE(std::isfinite(v)) << info(t).name << " " << c;
        }
    }
}

TEST(Quantiser, ColumnsWithoutImportanceDoNotBreakABlock) {
    const std::vector<float> x = test::formula_data("normal");
    std::vector<float> w(test::formula_cols, 0.0f);
    w[40] = 1;  // one block has a weight, the others none
    for (const DType t : block_types()) {
        const std::vector<float> y = there_and_back(t, x, test::formula_cols, w.data()), plain = there_and_back(t, x, test::formula_cols, nullptr);
        EXPECT_EQ(std::vector<float>(y.begin() + 256, y.begin() + 512), std::vector<float>(plain.begin() + 256, plain.begin() + 512)) << info(t).name;
        EXPECT_LE(std::fabs(y[40] - x[40]), std::fabs(plain[40] - x[40]) + 0.02f) << info(t).name;
    }
}

}  // namespace
}  // namespace gemma3n::quant
