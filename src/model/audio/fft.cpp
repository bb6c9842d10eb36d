#include "model/audio/fft.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace gemma3n::model::audio {

using Complex = std::complex<double>;

// The operator of std::complex asks about infinities first.
static Complex times(Complex a, Complex b) { return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()}; }

RealFft::RealFft(int64_t n) : half_(n / 2), turns_(static_cast<size_t>(n / 2)), reversed_(static_cast<size_t>(n / 2)) {
    for (int64_t k = 0; k < half_; k++) {
        const double angle = -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
        turns_[k] = {std::cos(angle), std::sin(angle)};
    }
    for (uint32_t i = 0, r = 0; i < half_; i++) {
        reversed_[i] = r;
        uint32_t bit = static_cast<uint32_t>(half_) / 2;  // r counts up with its highest bit as the lowest
        while (r & bit) r ^= bit, bit /= 2;
        r |= bit;
    }
}

void RealFft::magnitudes(std::span<Complex> z, std::span<double> out) const {
    for (uint32_t i = 0; i < half_; i++)
        if (i < reversed_[i]) std::swap(z[i], z[reversed_[i]]);
    for (int64_t length = 1; length < half_; length *= 2) {  // two transforms of `length` become one
        const int64_t step = half_ / length;                 // between turns: the table is of 2 half_ points
        for (int64_t first = 0; first < half_; first += 2 * length) {
            for (int64_t j = 0; j < length; j++) {
                const Complex a = z[first + j], b = times(z[first + j + length], turns_[j * step]);
                z[first + j] = a + b;
                z[first + j + length] = a - b;
            }
        }
    }
    // The pairs taken apart: even and odd values are the two halves of the symmetry X[n/2 - k] = conj X[k].
    for (int64_t k = 0; k <= half_; k++) {
        const Complex a = z[k % half_], b = std::conj(z[(half_ - k) % half_]);
        const Complex even = (a + b) * 0.5, odd = times(a - b, {0, -0.5});
        const Complex turn = k < half_ ? turns_[k] : Complex{-1, 0};
        const Complex x = even + times(odd, turn);
        out[k] = std::sqrt(x.real() * x.real() + x.imag() * x.imag());
    }
}

}  // namespace gemma3n::model::audio
