#include "model/audio/log_mel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace gemma3n::model::audio {

namespace {

constexpr int64_t fft_points = 1024;
constexpr double lowest_hz = 125, highest_hz = 7600;
constexpr float emphasis = 0.97f;

double mel_of(double hz) { return 2595 * std::log10(1 + hz / 700); }
double hz_of(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

}  // namespace

LogMel::LogMel(int64_t n_bins) : fft_(fft_points), window_(frame) {
    for (int64_t i = 0; i < frame; i++) {  // in f32, as the reference computes it: near its ends the window is what rounding leaves of 1 - cos
        const float angle = 2 * std::numbers::pi_v<float> * static_cast<float>(i) / static_cast<float>(frame);
        window_[i] = 0.5f * (1.0f - std::cos(angle));
    }

    std::vector<double> corner(static_cast<size_t>(n_bins) + 2);  // in Hz; triangle j stands on corners j and j + 2
    const double low = mel_of(lowest_hz), step = (mel_of(highest_hz) - low) / static_cast<double>(n_bins + 1);
    for (size_t i = 0; i < corner.size(); i++) corner[i] = hz_of(low + step * static_cast<double>(i));
    for (int64_t j = 0; j < n_bins; j++) {
        Filter f;
        for (int64_t k = 0; k < fft_.n_bins(); k++) {
            const double hz = static_cast<double>(k) * sample_rate / fft_points;
            const double weight = std::min((hz - corner[j]) / (corner[j + 1] - corner[j]), (corner[j + 2] - hz) / (corner[j + 2] - corner[j + 1]));
            if (weight <= 0) continue;
            if (f.weight.empty()) f.first = k;
            f.weight.push_back(weight);
        }
        filters_.push_back(std::move(f));
    }
}

void LogMel::features(const float* samples, float* out) const {
    std::array<std::complex<double>, fft_points / 2> z{};  // zeros behind the frame
    // in f32, as the reference rounds it; the first value would be scaled otherwise, but the window is zero there
    const auto value = [&](int64_t i) { return i == 0 ? 0.0 : static_cast<double>((samples[i] - emphasis * samples[i - 1]) * window_[i]); };
    for (int64_t i = 0; i < frame; i += 2) z[i / 2] = {value(i), value(i + 1)};
    std::array<double, fft_points / 2 + 1> magnitude;
    fft_.magnitudes(z, magnitude);
    for (size_t j = 0; j < filters_.size(); j++) {
        double sum = 0;
        for (size_t i = 0; i < filters_[j].weight.size(); i++) sum += magnitude[filters_[j].first + static_cast<int64_t>(i)] * filters_[j].weight[i];
        out[j] = static_cast<float>(std::log(std::max(sum, floor)));
    }
}

}  // namespace gemma3n::model::audio
