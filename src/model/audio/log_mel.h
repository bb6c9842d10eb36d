// Log-mel features as the reference's extractor makes them: frames of 512 samples every 160, pre-emphasis inside the frame, a periodic Hann
// window, magnitudes of 1024 points, triangles in Hz between 125 and 7600 Hz, natural logarithm. No normalisation.
#pragma once

#include "model/audio/fft.h"

#include <cstdint>
#include <vector>

namespace gemma3n::model::audio {

class LogMel {
public:
    static constexpr int64_t sample_rate = 16000;
    static constexpr int64_t hop = 160;          // samples between frames: 10 ms
    static constexpr int64_t frame = 512;        // samples of a frame
    static constexpr int64_t reach = frame + 1;  // samples that must be there: the reference cuts frames with one more, which it does not use
    static constexpr int64_t padding = 128;      // a clip is filled up with zeros to a multiple
    static constexpr double floor = 1e-5;        // of a filter's sum

    explicit LogMel(int64_t n_bins);

    int64_t n_bins() const { return static_cast<int64_t>(filters_.size()); }

    // Frames that n samples hold.
    static int64_t n_frames(int64_t n_samples) { return n_samples < reach ? 0 : (n_samples - reach) / hop + 1; }

    struct Filter {  // the bins of the spectrum under a triangle
        int64_t first = 0;
        std::vector<double> weight;
    };
    const std::vector<Filter>& filters() const { return filters_; }

    // One frame: samples [512] to out [n_bins].
    void features(const float* samples, float* out) const;

private:
    RealFft fft_;
    std::vector<float> window_;  // [512]
    std::vector<Filter> filters_;
};

}  // namespace gemma3n::model::audio
