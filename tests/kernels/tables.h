// Every kernel table of this program as a test parameter, and the material the tests feed them.
#pragma once

#include "base/f16.h"
#include "kernels/table.h"
#include "tensor/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace gemma3n::kernels::test {

inline constexpr double unit = 5.9604644775390625e-8;  // 2^-24: the relative error of one rounding to f32

// A test over all tables but the reference, or all of them. A table that the CPU lacks is skipped by its name.
class OnTable : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        for (const Entry& e : all()) {
            if (e.table->name != GetParam()) continue;
            if (!e.supported) GTEST_SKIP() << "kernels '" << GetParam() << "' cannot run on this CPU";
            k = e.table;
        }
        ASSERT_NE(k, nullptr);
    }
    const Table* k = nullptr;
    const Table& truth = reference();
};

inline std::vector<std::string> table_names() {
    std::vector<std::string> names;
    for (const Entry& e : all()) names.push_back(e.table->name);
    return names;
}
inline std::string test_name(const testing::TestParamInfo<std::string>& p) {
    std::string name = p.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}
#define ON_EVERY_TABLE(suite) INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(test::table_names()), test::test_name)

// n values in the middle of a larger block, one value off every vector's alignment; what lies around must stay as it was.
template <class T>
class Guarded {
public:
    explicit Guarded(int64_t n, T value = {}) : all_(static_cast<size_t>(n + 2 * margin), fence()), n_(n) {
        std::fill(data(), data() + n, value);
    }
    explicit Guarded(const std::vector<T>& v) : Guarded(static_cast<int64_t>(v.size())) { std::copy(v.begin(), v.end(), data()); }
    T* data() { return all_.data() + margin; }
    operator T*() { return data(); }
    std::vector<T> values() { return {data(), data() + n_}; }
    bool intact() const {
        for (int64_t i = 0; i < margin; i++) {
            if (memcmp(&all_[i], &fence_, sizeof(T)) || memcmp(&all_[margin + n_ + i], &fence_, sizeof(T))) return false;
        }
        return true;
    }

private:
    static constexpr int64_t margin = 67;
    static T fence() { return static_cast<T>(77); }
    const T fence_ = fence();
    std::vector<T> all_;
    int64_t n_;
};

inline std::vector<float> normal(int64_t n, uint64_t seed, float deviation = 1, float mean = 0) {
    std::mt19937_64 random(seed * 1000003 + static_cast<uint64_t>(n));
    std::normal_distribution<float> distribution(mean, deviation);
    std::vector<float> v(static_cast<size_t>(n));
    for (float& x : v) x = distribution(random);
    return v;
}

// Sizes around every vector width and unrolling.
inline std::vector<int64_t> edge_sizes() {
    std::vector<int64_t> sizes;
    for (int64_t n = 1; n <= 70; n++) sizes.push_back(n);
    for (int64_t n : {127, 128, 129, 255, 256, 257, 1000}) sizes.push_back(n);
    return sizes;
}

inline constexpr DType quantised[] = {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0,   DType::q2_k,
                                      DType::q3_k, DType::q4_k, DType::q5_k, DType::q6_k, DType::iq4_nl, DType::iq4_xs};
static_assert(std::size(quantised) == n_dtypes - 4, "all types but f32, f16, bf16 and i32");

// Where a block has its halves, and how large a weight can be: |d| * steps + |second| * low, what a kernel adds and takes off again included.
struct Scales {
    size_t d;
    std::optional<size_t> second;  // m or dmin
    double steps, low = 0;
};
inline Scales scales_of(DType t) {
    switch (t) {
        case DType::q4_0: return {offsetof(BlockQ4_0, d), {}, 15 + 8};
        case DType::q4_1: return {offsetof(BlockQ4_1, d), offsetof(BlockQ4_1, m), 15, 1};
        case DType::q5_0: return {offsetof(BlockQ5_0, d), {}, 31 + 16};
        case DType::q5_1: return {offsetof(BlockQ5_1, d), offsetof(BlockQ5_1, m), 31, 1};
        case DType::q8_0: return {offsetof(BlockQ8_0, d), {}, 255 + 128};
        case DType::q2_k: return {offsetof(BlockQ2_K, d), offsetof(BlockQ2_K, dmin), 3 * 15, 15};
        case DType::q3_k: return {offsetof(BlockQ3_K, d), {}, (7 + 4) * 32};
        case DType::q4_k: return {offsetof(BlockQ4_K, d), offsetof(BlockQ4_K, dmin), 15 * 63, 63};
        case DType::q5_k: return {offsetof(BlockQ5_K, d), offsetof(BlockQ5_K, dmin), 31 * 63, 63};
        case DType::q6_k: return {offsetof(BlockQ6_K, d), {}, (63 + 32) * 128};
        case DType::iq4_nl: return {offsetof(BlockIQ4_NL, d), {}, 241 + 128};
        case DType::iq4_xs: return {offsetof(BlockIQ4_XS, d), {}, (241 + 128) * 32};
        default: ADD_FAILURE() << info(t).name << " has no block"; return {};
    }
}

// A matrix of random weights: any bits are valid quants; the scales are halves of a moderate size.
struct Matrix {
    DType type;
    int64_t rows, k;
    std::vector<std::byte> bytes;
    uint64_t stride;

    Matrix(DType t, int64_t n_rows, int64_t n_values, uint64_t seed) : type(t), rows(n_rows), k(n_values), stride(row_bytes(t, n_values)) {
        bytes.resize(static_cast<size_t>(rows * stride));
        std::mt19937_64 random(seed * 7919 + static_cast<uint64_t>(k));
        std::normal_distribution<float> distribution(0, 1);
        const auto half = [&] { return f32_to_f16(0.01f * (1 + std::fabs(distribution(random)))); };
        if (!is_quantised(t)) {
            for (int64_t i = 0; i < rows * k; i++) {
                const float f = distribution(random);
                const uint16_t h = t == DType::f16 ? f32_to_f16(f) : f32_to_bf16(f);
                if (t == DType::f32) memcpy(&bytes[i * 4], &f, 4);
                else memcpy(&bytes[i * 2], &h, 2);
            }
            return;
        }
        for (std::byte& b : bytes) b = static_cast<std::byte>(random());
        for_each_block([&](std::byte* d, std::byte* second) {
            const uint16_t halves[2] = {half(), half()};
            memcpy(d, &halves[0], 2);
            if (second) memcpy(second, &halves[1], 2);
        });
    }
    // The places of d, and of m or dmin or null.
    template <class F>
    void for_each_block(F&& f) {
        const Scales s = scales_of(type);
        for (std::byte* b = bytes.data(); b < bytes.data() + bytes.size(); b += info(type).bytes) f(b + s.d, s.second ? b + *s.second : nullptr);
    }
    void set_scales(uint16_t d, uint16_t second) {
        for_each_block([&](std::byte* to, std::byte* to_second) {
            memcpy(to, &d, 2);
            if (to_second) memcpy(to_second, &second, 2);
        });
    }
    // The largest that value j can be at its scales: what a product's roundings are relative to.
    std::vector<double> magnitudes(int64_t r) const { return sizes(r, scales_of(type).steps); }
    // What its minimum alone can be.
    std::vector<double> minimum_sizes(int64_t r) const { return sizes(r, 0); }
    std::vector<double> sizes(int64_t r, double steps) const {
        const Scales s = scales_of(type);
        const int64_t block = info(type).block;
        std::vector<double> size(static_cast<size_t>(k));
        for (int64_t j = 0; j < k; j++) {
            const std::byte* b = bytes.data() + r * stride + j / block * info(type).bytes;
            uint16_t d, second = 0;
            memcpy(&d, b + s.d, 2);
            if (s.second) memcpy(&second, b + *s.second, 2);
            size[j] = std::fabs(f16_to_f32(d)) * steps + std::fabs(f16_to_f32(second)) * s.low;
        }
        return size;
    }
    Weights weights() const { return {bytes.data(), stride, type, rows, k}; }
    std::vector<float> row(int64_t r) const {
        std::vector<float> v(static_cast<size_t>(k));
        reference().to_f32[static_cast<int>(type)](bytes.data() + r * stride, k, v.data());
        return v;
    }
};

inline std::vector<std::byte> aligned_bytes(uint64_t n) { return std::vector<std::byte>(n + 64); }
inline std::byte* align(std::vector<std::byte>& v) { return reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(v.data()) + 63) / 64 * 64); }

}  // namespace gemma3n::kernels::test
