// The roof's loops compute what they claim: otherwise their speed says nothing.
#include "kernels/roof.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace gemma3n::kernels {
namespace {

TEST(Roof, EveryByteIsRead) {
    constexpr uint64_t n = 8 * roof_read_unit;
    const std::unique_ptr<std::byte, void (*)(void*)> bytes(static_cast<std::byte*>(std::aligned_alloc(64, n)), std::free);
    for (const Entry& e : all()) {
        if (!e.supported) continue;
        memset(bytes.get(), 0, n);
        const Roof& r = roof(*e.table);
        EXPECT_EQ(r.read(bytes.get(), n), 0u);
        for (uint64_t at = 0; at < n; at += 8) {
            const uint64_t value = at + 1;
            memcpy(bytes.get() + at, &value, 8);
            ASSERT_EQ(r.read(bytes.get(), n), value) << e.table->name << " " << at;
            memset(bytes.get() + at, 0, 8);
        }
    }
}

TEST(Roof, ProductsGrowWithTheRounds) {
    for (const Entry& e : all()) {
        if (!e.supported) continue;
        const Roof& r = roof(*e.table);
        const int32_t one = r.int8(1);
        EXPECT_NE(one, 0) << e.table->name;
        EXPECT_EQ(r.int8(5), 5 * one) << e.table->name;
        EXPECT_GT(r.int8_round, 0);
        // x = x / 2 + lane: n rounds give lane (2 - 2^(1 - n)); lanes per chain follow from the round's count
        const int lanes = static_cast<int>(r.f32_round / 2 / 12);
        const float sum = 12.0f * static_cast<float>(lanes * (lanes - 1)) / 2;
        EXPECT_FLOAT_EQ(r.f32(1), sum) << e.table->name;
        EXPECT_FLOAT_EQ(r.f32(3), sum * 1.75f) << e.table->name;
    }
}

}  // namespace
}  // namespace gemma3n::kernels
