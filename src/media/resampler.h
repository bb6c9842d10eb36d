// Any rate to 16 kHz: a windowed sinc, one set of weights for each place an output may have between two inputs. Flat to 95 % of the
// lower of both half rates, 100 dB down from that half rate on. Sound may come in pieces of any size; the output is the same, bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gemma3n::media {

inline constexpr int64_t min_rate = 1000, max_rate = 384000;

class Resampler {
public:
    explicit Resampler(int64_t rate);  // samples per second of the input, min_rate..max_rate

    // Both append to `out`. Output i is the sound at i / 16000 seconds; it comes once the input half a window beyond it is there.
    void push(std::span<const float> in, std::vector<float>& out);
    // The end: silence behind it. ceil(inputs * 16000 / rate) outputs in all. Nothing may be pushed after.
    void finish(std::vector<float>& out);

private:
    float at_place();  // the output whose place is next

    bool same_;            // 16 kHz already: nothing is touched
    int64_t in_, out_;     // rate : 16000 in lowest terms
    int64_t reach_;        // inputs on each side of an output
    int64_t n_taps_;       // 2 reach_, and zeros up to a whole number of lanes
    int64_t n_places_;     // sets of weights; out_ of them are exact, else neighbours are mixed
    std::vector<float> weights_;   // [n_places_ + 1, n_taps_]
    std::vector<float> mixed_;     // [n_taps_]
    std::vector<float> window_;    // inputs from first_ - reach_ + 1 on
    int64_t first_ = 0;            // the input at or before the next output
    int64_t place_ = 0;            // how far behind it the output is, in 1 / out_
    int64_t n_in_ = 0, n_out_ = 0;
};

}  // namespace gemma3n::media
