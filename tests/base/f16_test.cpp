// Half and bfloat16: every value there and back, rounding to nearest even at every midpoint.
#include "base/f16.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemma3n::test {
namespace {

TEST(F16, EveryValueSurvivesTheRoundTrip) {
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = f16_to_f32(static_cast<uint16_t>(h));
        if ((h & 0x7C00) == 0x7C00 && (h & 0x3FF)) {
            EXPECT_TRUE(std::isnan(f)) << h;
            EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(f)))) << h;
            continue;
        }
        ASSERT_EQ(f32_to_f16(f), h);
    }
}

TEST(F16, ValuesAreThoseOfTheFormat) {
    for (uint32_t h = 0; h < 0x7C00; h++) {
        const int exponent = static_cast<int>(h >> 10), mantissa = static_cast<int>(h & 1023);
        const double expected = exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24);
        ASSERT_EQ(f16_to_f32(static_cast<uint16_t>(h)), expected) << h;
        ASSERT_EQ(f16_to_f32(static_cast<uint16_t>(h | 0x8000)), -expected) << h;
    }
    EXPECT_TRUE(std::isinf(f16_to_f32(0x7C00)));
}

TEST(F16, RoundsToNearestEven) {
    for (uint32_t h = 0; h < 0x7BFF; h++) {  // neighbours that are finite
        const float low = f16_to_f32(static_cast<uint16_t>(h)), high = f16_to_f32(static_cast<uint16_t>(h + 1));
        const float middle = (low + high) / 2;  // exact in f32
        ASSERT_EQ(f32_to_f16(middle), h % 2 ? h + 1 : h);
        ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0f)), h);
        ASSERT_EQ(f32_to_f16(std::nextafter(middle, 1e9f)), h + 1);
        ASSERT_EQ(f32_to_f16(-middle), (h % 2 ? h + 1 : h) | 0x8000);
    }
    EXPECT_EQ(f32_to_f16(65519.996f), 0x7BFF);
    EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00) << "half way to the next power rounds to infinity";
    EXPECT_EQ(f32_to_f16(1e30f), 0x7C00);
    EXPECT_EQ(f32_to_f16(1e-30f), 0);
}

TEST(Bf16, EveryValueSurvivesTheRoundTrip) {
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = bf16_to_f32(static_cast<uint16_t>(h));
        if (std::isnan(f)) {
            EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(f)))) << h;
            continue;
        }
        ASSERT_EQ(f32_to_bf16(f), h);
    }
}

TEST(Bf16, RoundsToNearestEven) {
    for (uint32_t h = 0; h < 0x7F80; h++) {
        const uint32_t middle = h << 16 | 0x8000;
        ASSERT_EQ(f32_to_bf16(bits_to_f32(middle)), h % 2 ? h + 1 : h);
        ASSERT_EQ(f32_to_bf16(bits_to_f32(middle - 1)), h);
        ASSERT_EQ(f32_to_bf16(bits_to_f32(middle + 1)), h + 1);
    }
    EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(bits_to_f32(0x7F800001))))) << "a NaN whose upper half looks like infinity";
}

}  // namespace
}  // namespace gemma3n::test
