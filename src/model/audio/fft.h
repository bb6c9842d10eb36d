// Magnitudes of a real spectrum, in double precision: a bin that is nearly silent beside a loud one would be rounding noise in f32, and the
// logarithm that follows would show it (0.5 for a pure tone).
#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <vector>

namespace gemma3n::model::audio {

class RealFft {
public:
    explicit RealFft(int64_t n);  // a power of two, 4 or more

    int64_t size() const { return 2 * half_; }
    int64_t n_bins() const { return half_ + 1; }

    // |X[k]|, k = 0 .. n/2, of n real values. `z` holds them in pairs (x[2j], x[2j + 1]) and is overwritten.
    void magnitudes(std::span<std::complex<double>> z, std::span<double> out) const;

private:
    int64_t half_;                              // n / 2: n real values are transformed as half as many complex ones
    std::vector<std::complex<double>> turns_;   // e^(-2 pi i k / n), k < n/2
    std::vector<uint32_t> reversed_;            // bit-reversed index, [n/2]
};

}  // namespace gemma3n::model::audio
