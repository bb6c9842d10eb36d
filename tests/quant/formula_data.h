// Values that a formula makes, exact in f32, the same as in tools/oracle/quant_goldens.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n::test {

inline constexpr int64_t formula_rows = 64, formula_cols = 512;

inline uint64_t splitmix(uint64_t i) {
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// "normal", or "weights": columns and rows of different size and some outliers.
inline std::vector<float> formula_data(const std::string& kind) {
    std::vector<float> x;
    for (int64_t i = 0; i < formula_rows * formula_cols; i++) {
        const uint64_t h = splitmix(static_cast<uint64_t>(i));
        int64_t v = -131070;
        for (int k = 0; k < 4; k++) v += static_cast<int64_t>(h >> (16 * k) & 0xFFFF);
        if (kind == "weights") {
            const auto row = static_cast<uint64_t>(i / formula_cols), col = static_cast<uint64_t>(i % formula_cols);
            v *= 1 + static_cast<int64_t>(splitmix(col + (1ull << 32)) % 8);
            v *= 1 + static_cast<int64_t>(row % 4);
            v *= splitmix(static_cast<uint64_t>(i) + (1ull << 33)) % 97 == 0 ? 3 : 1;
        }
        x.push_back(static_cast<float>(v) * 0x1p-17f);
    }
    return x;
}

inline std::vector<float> formula_importance() {
    std::vector<float> w;
    for (int64_t c = 0; c < formula_cols; c++) {
        const auto k = static_cast<int64_t>(splitmix(static_cast<uint64_t>(c) + (1ull << 34)) & 1023);
        w.push_back(static_cast<float>(k * k + 1024) * 0x1p-20f);
    }
    return w;
}

}  // namespace gemma3n::test
