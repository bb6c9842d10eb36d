// The resize, byte for byte against Pillow 9.4 on a picture of hashed bytes (first four pixels of row 0, the last pixel, the sum of all).
#include "gemma3n/media.h"

#include <gtest/gtest.h>

#include <numeric>

namespace gemma3n {
namespace {

// Byte i of the picture: the high byte of a hash of the name "img" and i.
uint8_t hashed(uint32_t i) {
    uint32_t h = 0x811C9DC5;
    for (const char c : {'i', 'm', 'g'}) h = (h ^ static_cast<uint8_t>(c)) * 0x01000193;
    uint32_t x = h ^ (i * 0x9E3779B9);
    x ^= x >> 16, x *= 0x85EBCA6B, x ^= x >> 13, x *= 0xC2B2AE35, x ^= x >> 16;
    return static_cast<uint8_t>(x >> 24);
}

Image picture(int64_t width, int64_t height) {
    Image p{width, height, {}};
    for (int64_t i = 0; i < width * height * 3; i++) p.rgb.push_back(hashed(static_cast<uint32_t>(i)));
    return p;
}

struct Golden {
    int64_t height, width, side;
    std::vector<uint8_t> first, last;
    int64_t sum;
};

TEST(Resize, EqualsPillow) {
    const Golden goldens[] = {{60, 100, 16, {133, 120, 108, 139, 124, 114, 130, 114, 144, 123, 124, 110}, {97, 113, 135}, 98288},
                              {10, 7, 16, {153, 98, 167, 140, 90, 144, 105, 68, 80, 71, 50, 26}, {115, 133, 164}, 100763},
                              {48, 48, 48, {153, 98, 167, 72, 47, 20}, {200, 22, 149}, 878404},
                              {500, 333, 32, {127, 130, 125, 125, 127, 132, 133, 127, 130, 127, 129, 134}, {134, 122, 120}, 391808}};
    for (const Golden& g : goldens) {
        const auto r = resized(picture(g.width, g.height), g.side);
        ASSERT_TRUE(r) << r.error().message;
        EXPECT_EQ(r->width, g.side);
        EXPECT_EQ(r->height, g.side);
        EXPECT_EQ(std::vector<uint8_t>(r->rgb.begin(), r->rgb.begin() + static_cast<int64_t>(g.first.size())), g.first) << g.height << " x " << g.width;
        EXPECT_EQ(std::vector<uint8_t>(r->rgb.end() - 3, r->rgb.end()), g.last) << g.height << " x " << g.width;
        EXPECT_EQ(std::accumulate(r->rgb.begin(), r->rgb.end(), int64_t{0}), g.sum) << g.height << " x " << g.width;
    }
}

TEST(Resize, OnePixelFillsTheSquare) {
    const auto r = resized({1, 1, {7, 8, 9}}, 5);
    ASSERT_TRUE(r);
    for (size_t i = 0; i < 25; i++) EXPECT_EQ((std::vector<uint8_t>{r->rgb[3 * i], r->rgb[3 * i + 1], r->rgb[3 * i + 2]}), (std::vector<uint8_t>{7, 8, 9}));
}

TEST(Resize, WhatIsNoPictureIsRefused) {
    EXPECT_FALSE(resized({0, 0, {}}, 16));
    EXPECT_FALSE(resized({2, 2, {1, 2, 3}}, 16));
    EXPECT_FALSE(resized(picture(2, 2), 0));
    EXPECT_FALSE(resized(picture(2, 2), 1 << 20));
    EXPECT_FALSE(resized({int64_t{1} << 40, int64_t{1} << 40, {}}, 16));
}

}  // namespace
}  // namespace gemma3n
