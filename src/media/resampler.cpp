#include "media/resampler.h"

#include "gemma3n/media.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace gemma3n::media {

namespace {

constexpr double attenuation_db = 100, flat = 0.95;
constexpr int64_t lanes = 16;

double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; term > sum * 1e-17; k++) {
        term *= x / (2 * k) * x / (2 * k);
        sum += term;
    }
    return sum;
}

// Sums of `lanes` partial sums: one order, whatever the compiler makes of it.
float dot(const float* a, const float* b, int64_t n) {
    float sums[lanes] = {};
    for (int64_t i = 0; i < n; i += lanes) {
        for (int64_t j = 0; j < lanes; j++) sums[j] += a[i + j] * b[i + j];
    }
    for (int64_t half = lanes / 2; half > 0; half /= 2) {
        for (int64_t j = 0; j < half; j++) sums[j] += sums[j + half];
    }
    return sums[0];
}

}  // namespace

Resampler::Resampler(int64_t rate) : same_(rate == sound_rate) {
    const int64_t common = std::gcd(rate, sound_rate);
    in_ = rate / common;
    out_ = sound_rate / common;
    if (same_) return;
    const double nyquist = 0.5 * static_cast<double>(std::min(rate, sound_rate)) / static_cast<double>(rate);  // cycles per input
    const double cut = (1 + flat) / 2 * nyquist, band = (1 - flat) * nyquist;
    const double half = (attenuation_db - 8) / (2.285 * 2 * std::numbers::pi * band) / 2;  // Kaiser's estimate
    const double beta = 0.1102 * (attenuation_db - 8.7), at_centre = bessel_i0(beta);
    reach_ = static_cast<int64_t>(std::ceil(half));
    n_taps_ = (2 * reach_ + lanes - 1) / lanes * lanes;
    // Mixing neighbours errs by (pi * 2 cut / places)^2 / 8: below -118 dB
    n_places_ = std::min(out_, std::max<int64_t>(16, static_cast<int64_t>(2 * nyquist * 1024)));
    weights_.assign(static_cast<size_t>((n_places_ + 1) * n_taps_), 0);
    std::vector<double> row(static_cast<size_t>(2 * reach_));
    for (int64_t p = 0; p <= n_places_; p++) {
        for (int64_t k = 0; k < 2 * reach_; k++) {
            const double t = static_cast<double>(k - reach_ + 1) - static_cast<double>(p) / static_cast<double>(n_places_), x = 2 * std::numbers::pi * cut * t, edge = t / half;
            row[static_cast<size_t>(k)] = (x == 0 ? 1 : std::sin(x) / x) * (std::fabs(edge) < 1 ? bessel_i0(beta * std::sqrt(1 - edge * edge)) / at_centre : 0);
        }
        const double sum = std::accumulate(row.begin(), row.end(), 0.0);  // a constant stays what it is
        for (int64_t k = 0; k < 2 * reach_; k++) weights_[static_cast<size_t>(p * n_taps_ + k)] = static_cast<float>(row[static_cast<size_t>(k)] / sum);
    }
    mixed_.resize(static_cast<size_t>(n_taps_));
    window_.assign(static_cast<size_t>(reach_ - 1), 0);
}

float Resampler::at_place() {
    const int64_t exact = place_ * n_places_, p = exact / out_, between = exact % out_;
    const float* w = weights_.data() + p * n_taps_;
    if (between) {
        const float share = static_cast<float>(between) / static_cast<float>(out_);
        const float* next = w + n_taps_;
        for (int64_t k = 0; k < n_taps_; k++) mixed_[static_cast<size_t>(k)] = w[k] + share * (next[k] - w[k]);
        w = mixed_.data();
    }
    return dot(window_.data() + (first_ - (n_in_ + reach_ - 1 - static_cast<int64_t>(window_.size()))), w, n_taps_);
}

void Resampler::push(std::span<const float> in, std::vector<float>& out) {
    if (same_) {
        out.insert(out.end(), in.begin(), in.end());
        return;
    }
    window_.insert(window_.end(), in.begin(), in.end());
    n_in_ += static_cast<int64_t>(in.size());
    // window_ holds the inputs up to n_in_ - 1; the lanes beyond the taps meet weights of 0, but must be there
    while (first_ - reach_ + 1 + n_taps_ <= n_in_) {
        out.push_back(at_place());
        n_out_++;
        place_ += in_;
        first_ += place_ / out_;
        place_ %= out_;
    }
    const int64_t begin = n_in_ - static_cast<int64_t>(window_.size());  // the input that window_ begins with
    const int64_t done = std::min(first_ - reach_ + 1 - begin, static_cast<int64_t>(window_.size()));
    if (done >= n_taps_) window_.erase(window_.begin(), window_.begin() + done);
}

void Resampler::finish(std::vector<float>& out) {
    if (same_) return;
    const int64_t total = (n_in_ * out_ + in_ - 1) / in_, had = static_cast<int64_t>(out.size()), missing = total - n_out_;
    const std::vector<float> silence(static_cast<size_t>(n_taps_ + in_ / out_ + 1));
    while (static_cast<int64_t>(out.size()) - had < missing) push(silence, out);
    out.resize(static_cast<size_t>(had + missing));
}

}  // namespace gemma3n::media
