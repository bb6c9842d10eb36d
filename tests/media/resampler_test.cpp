// The resampler against tones, whose value at any time is known, and against itself in pieces.
#include "media/resampler.h"

#include "gemma3n/media.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace gemma3n {
namespace {

using media::Resampler;

std::vector<float> tone(double frequency, int64_t rate, int64_t n) {
    std::vector<float> t;
    for (int64_t i = 0; i < n; i++) t.push_back(static_cast<float>(std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / static_cast<double>(rate))));
    return t;
}

std::vector<float> resampled(const std::vector<float>& in, int64_t rate, size_t piece) {
    Resampler r(rate);
    std::vector<float> out;
    for (size_t at = 0; at < in.size(); at += piece) r.push(std::span(in).subspan(at, std::min(piece, in.size() - at)), out);
    r.finish(out);
    return out;
}

// Away from the ends, where the window reaches into silence.
double worst(const std::vector<float>& got, double frequency, double amplitude, int64_t margin) {
    double d = 0;
    for (int64_t i = margin; i < static_cast<int64_t>(got.size()) - margin; i++) {
        d = std::max(d, std::fabs(static_cast<double>(got[static_cast<size_t>(i)]) - amplitude * std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / sound_rate)));
    }
    return d;
}

class Rates : public testing::TestWithParam<int64_t> {
protected:
    // A quarter of a second, or a whole one where the window is long.
    int64_t length() const { return GetParam() < 8000 ? GetParam() : GetParam() / 4; }
    // The outputs at each end that the window of an input of that rate reaches beyond.
    int64_t margin() const { return 132 * sound_rate / std::min(GetParam(), sound_rate); }
};

// 100 dB are 1e-5 of a tone; the largest rates add rounding of the weights.
TEST_P(Rates, TonesBelowTheBandsEndStayWhatTheyAre) {
    const int64_t rate = GetParam();
    const double nyquist = 0.5 * static_cast<double>(std::min(rate, sound_rate));
    for (const double share : {0.01, 0.3, 0.7, 0.94}) {
        const auto out = resampled(tone(share * nyquist, rate, length()), rate, 4096);
        ASSERT_LT(3 * margin(), static_cast<int64_t>(out.size()));
        EXPECT_LT(worst(out, share * nyquist, 1, margin()), 1.5e-5) << share;
    }
}

TEST_P(Rates, WhatTheNewRateCannotHoldIsGone) {
    const int64_t rate = GetParam();
    if (rate <= sound_rate) GTEST_SKIP() << "a higher rate holds everything";
    for (const double frequency : {8000.0, 8300.0, 0.25 * (static_cast<double>(rate) + 16000), 0.499 * static_cast<double>(rate)}) {
        if (2 * frequency >= static_cast<double>(rate)) continue;
        EXPECT_LT(worst(resampled(tone(frequency, rate, length()), rate, 4096), 0, 0, margin()), 1.5e-5) << frequency;
    }
}

TEST_P(Rates, PiecesGiveTheSameBits) {
    const int64_t rate = GetParam();
    const auto in = tone(440, rate, rate / 20 + 3);
    const auto whole = resampled(in, rate, in.size());
    EXPECT_EQ(whole.size(), (in.size() * sound_rate + static_cast<size_t>(rate) - 1) / static_cast<size_t>(rate));
    for (const size_t piece : {size_t{1}, size_t{3}, size_t{160}, size_t{1000}, size_t{4097}}) EXPECT_EQ(resampled(in, rate, piece), whole) << piece;
}

TEST_P(Rates, AConstantStaysWhatItIs) {
    const int64_t rate = GetParam();
    const auto out = resampled(std::vector<float>(static_cast<size_t>(length()), 0.5f), rate, 999);
    for (int64_t i = margin(); i < static_cast<int64_t>(out.size()) - margin(); i++) ASSERT_NEAR(out[static_cast<size_t>(i)], 0.5f, 1e-6) << i;
}

INSTANTIATE_TEST_SUITE_P(Resampler, Rates, testing::Values(1000, 8000, 11025, 22050, 32000, 37817, 44100, 44101, 48000, 96000, 192000, 383999, 384000));

TEST(Resampler, SixteenKilohertzPassThrough) {
    const auto in = tone(7900, sound_rate, 1000);
    EXPECT_EQ(resampled(in, sound_rate, 17), in);
}

TEST(Resampler, NothingGivesNothing) {
    EXPECT_TRUE(resampled({}, 48000, 1).empty());
    EXPECT_EQ(resampled({0.5f}, 48000, 1).size(), 1u);
    EXPECT_EQ(resampled({0.5f}, 1000, 1).size(), 16u);
}

}  // namespace
}  // namespace gemma3n
