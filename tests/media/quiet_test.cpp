// Where long sound is cut.
#include "gemma3n/media.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace gemma3n {
namespace {

std::vector<float> noise(int64_t n, uint32_t seed) {
    std::vector<float> s;
    for (int64_t i = 0; i < n; i++) seed = seed * 1664525 + 1013904223, s.push_back(static_cast<float>(seed >> 8) / 8388608 - 1);
    return s;
}

// Pieces cover the sound in order, none is longer than allowed, and no splinter is left.
TEST(Quiet, PiecesCoverTheSound) {
    for (const double seconds : {0.01, 0.5, 1.0, 3.0}) {
        const int64_t most = static_cast<int64_t>(seconds * sound_rate);
        for (const int64_t n : {most - 1, most, most + 1, most + most / 10, 2 * most, 3 * most + 17, 10 * most}) {
            const auto pieces = pieces_at_quiet_points(noise(n, static_cast<uint32_t>(n)), seconds);
            ASSERT_FALSE(pieces.empty());
            EXPECT_EQ(pieces.back().end, n);
            for (size_t i = 0; i < pieces.size(); i++) {
                EXPECT_EQ(pieces[i].begin, i > 0 ? pieces[i - 1].end : 0);
                EXPECT_LE(pieces[i].end - pieces[i].begin, most);
                EXPECT_GE(pieces[i].end - pieces[i].begin, std::min(n, most / 10));
            }
            EXPECT_EQ(pieces.size() == 1, n <= most);
        }
    }
}

TEST(Quiet, CutsLieInPauses) {
    auto s = noise(75 * sound_rate, 9);
    const auto pause = [&](double from, double to) { std::fill(s.begin() + static_cast<int64_t>(from * sound_rate), s.begin() + static_cast<int64_t>(to * sound_rate), 0.0f); };
    pause(10, 10.5);     // too early for the first piece
    pause(24, 24.3);
    pause(47.2, 47.6);
    const auto pieces = pieces_at_quiet_points(s);
    ASSERT_EQ(pieces.size(), 3u);
    EXPECT_GT(pieces[0].end, 24.05 * sound_rate);
    EXPECT_LT(pieces[0].end, 24.25 * sound_rate);
    EXPECT_GT(pieces[1].end, 47.25 * sound_rate);
    EXPECT_LT(pieces[1].end, 47.55 * sound_rate);
}

TEST(Quiet, SilenceMakesTheFewestPieces) { EXPECT_EQ(pieces_at_quiet_points(std::vector<float>(89 * sound_rate)).size(), 3u); }

TEST(Quiet, OddRequests) {
    const auto s = noise(1000, 1);
    EXPECT_TRUE(pieces_at_quiet_points({}, 30).empty());
    EXPECT_EQ(pieces_at_quiet_points(s, INFINITY).size(), 1u);
    EXPECT_EQ(pieces_at_quiet_points(s, NAN).size(), 1u);
    EXPECT_EQ(pieces_at_quiet_points(s, 0).size(), 1000u);
    EXPECT_EQ(pieces_at_quiet_points(std::vector<float>(40 * sound_rate, NAN)).back().end, 40 * sound_rate);
}

}  // namespace
}  // namespace gemma3n
