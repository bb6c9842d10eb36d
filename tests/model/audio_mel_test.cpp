// The log-mel front end by itself: the transform against the definition, the filters and features against the fact sheet.
#include "model/audio/log_mel.h"
#include "model/audio_tower.h"

#include <numbers>
#include <numeric>

namespace gemma3n::model {

using audio::LogMel;
using audio::RealFft;

TEST(RealFft, IsTheSumThatDefinesIt) {
    for (const int64_t n : {4, 8, 16, 64, 1024}) {
        const RealFft fft(n);
        std::vector<std::complex<double>> z(static_cast<size_t>(n / 2));
        std::vector<double> x(static_cast<size_t>(n)), got(static_cast<size_t>(n / 2 + 1));
        for (int64_t i = 0; i < n; i++) x[i] = test::tower_unit(7, static_cast<uint32_t>(i));
        for (int64_t i = 0; i < n / 2; i++) z[i] = {x[2 * i], x[2 * i + 1]};
        fft.magnitudes(z, got);
        for (int64_t k = 0; k <= n / 2; k++) {
            std::complex<double> sum = 0;
            for (int64_t i = 0; i < n; i++) sum += x[i] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i * k % n) / static_cast<double>(n));
            EXPECT_NEAR(got[k], std::abs(sum), 1e-12 * static_cast<double>(n)) << "bin " << k << " of " << n;
        }
    }
}

TEST(LogMel, FiltersAreTheSheets) {
    const LogMel mel(128);
    double sum = 0;
    size_t entries = 0;
    for (const auto& f : mel.filters()) {
        ASSERT_FALSE(f.weight.empty());
        sum += std::accumulate(f.weight.begin(), f.weight.end(), 0.0);
        entries += f.weight.size();
    }
    EXPECT_NEAR(sum, 473.20060921584775, 1e-9);
    EXPECT_EQ(entries, 946u);
    const auto expect = [&](size_t j, int64_t first, std::vector<double> weights, bool all = true) {
        const auto& f = mel.filters()[j];
        EXPECT_EQ(f.first, first) << j;
        if (all) { ASSERT_EQ(f.weight.size(), weights.size()) << j; }
        for (size_t i = 0; i < weights.size(); i++) EXPECT_NEAR(f.weight[i], weights[i], 1e-8) << j << ", " << i;
    };
    expect(0, 9, {0.95202447});
    expect(1, 9, {0.04797553, 0.92317338});
    expect(2, 10, {0.07682662, 0.9127834});
    expect(3, 11, {0.0872166, 0.92020871});
    expect(40, 64, {0.39719275, 0.9098402, 0.58500608, 0.08145154});
    expect(127, 468, {0.02991157, 0.13796298, 0.24601438}, false);
    EXPECT_EQ(mel.filters()[127].weight.size(), 19u);
}

// A frame's features from the definition, with a transform by summation in long double.
TEST(LogMel, QuietBinsBesideALoudToneAreNotNoise) {
    std::vector<float> x(512);
    for (int i = 0; i < 512; i++) x[i] = static_cast<float>(0.9 * std::sin(2 * std::numbers::pi * 1000 * i / 16000));
    std::vector<long double> magnitude(513);
    for (int k = 0; k <= 512; k++) {
        long double re = 0, im = 0;
        for (int i = 1; i < 512; i++) {
            const float window = 0.5f * (1.0f - std::cos(2 * std::numbers::pi_v<float> * static_cast<float>(i) / 512.0f));  // the sheet: stored as f32
            const float y = (x[i] - 0.97f * x[i - 1]) * window;
            const long double angle = -2 * std::numbers::pi_v<long double> * (i * k % 1024) / 1024;
            re += y * std::cos(angle), im += y * std::sin(angle);
        }
        magnitude[k] = std::sqrt(re * re + im * im);
    }
    const LogMel mel(128);
    std::vector<float> got(128);
    mel.features(x.data(), got.data());
    for (size_t j = 0; j < 128; j++) {
        long double sum = 0;
        for (size_t i = 0; i < mel.filters()[j].weight.size(); i++) sum += magnitude[mel.filters()[j].first + static_cast<int64_t>(i)] * mel.filters()[j].weight[i];
        EXPECT_NEAR(got[j], static_cast<float>(std::log(std::max(sum, 1e-5L))), 2e-6) << j;  // half a unit in the last place of 11.5
    }
}

TEST(LogMel, SilenceIsTheFloor) {
    const LogMel mel(128);
    const std::vector<float> x(512);
    std::vector<float> got(128);
    mel.features(x.data(), got.data());
    for (const float v : got) EXPECT_EQ(v, -11.512925f);
}

}  // namespace gemma3n::model
