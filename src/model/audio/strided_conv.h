// A convolution of 3 x 3 (time, frequency) with stride 2, a cumulative group norm and ReLU: the two halves of the sub-sampling.
// Zeros: one frequency on either side, two rows of time after the end, none before the beginning.
#pragma once

#include "model/tapped.h"
#include "model/tensors.h"
#include "ops/context.h"

#include <string>
#include <vector>

namespace gemma3n::model::audio {

class StridedConv {
public:
    // Binds conv.weight [channels, in_channels, 3, 3] and norm.weight [channels].
    static Result<StridedConv> bind(Tensors& tensors, const std::string& prefix, int64_t in_channels, int64_t in_frequencies, float eps);

    int64_t channels() const { return channels_; }
    int64_t frequencies() const { return frequencies_; }
    int64_t width() const { return channels_ * frequencies_; }  // of a row of the result, [frequency][channel]

    // What a stream keeps: the rows that the next results need, and what the norm has summed up so far. Doubles: a stream may last.
    struct State {
        std::vector<float> rows;   // [n_rows, in_frequencies + 2, in_channels], the outer frequencies zero; the first is row 2 * count
        int64_t n_rows = 0;
        double sum = 0, squares = 0;  // of all values so far; of their distances from the mean at their time
        int64_t count = 0;            // rows of the result so far
    };
    // Room for n more rows. Row i of them begins at the result + i * in_stride(), and at its first frequency that is not padding.
    float* extend(State& s, int64_t n) const;
    int64_t in_stride() const { return (in_frequencies_ + 2) * in_channels_; }

    // Rows of the result that the rows in hand give; with the zeros after the end if it is the end.
    int64_t ready(const State& s, bool end) const { return end ? (s.n_rows + 1) / 2 : (s.n_rows - 1) / 2; }

    // Computes the n rows that are ready, row i at out + i * out_stride, and lets go of what no later row needs. `name` is the module's.
    void run(Context& c, State& s, int64_t n, float* out, int64_t out_stride, const char* name, const Tapped& tapped) const;

    void plan(ScratchPlan& p, int64_t n) const;  // what run() takes from the arena, on paper
    uint64_t held_bytes(int64_t n) const { return static_cast<uint64_t>((n + 3) * in_stride()) * sizeof(float); }  // of n rows that came together

    double multiplications() const { return static_cast<double>(width()) * static_cast<double>(kernel * kernel * in_channels_); }  // of a row

private:
    static constexpr int64_t kernel = 3, stride = 2;
    void patches(const State& s, int64_t t, float* to) const;

    int64_t in_channels_ = 0, in_frequencies_ = 0, channels_ = 0, frequencies_ = 0;
    float eps_ = 0;
    std::vector<float> weight_;  // [channels, 3 (time), 3 (frequency), in_channels]
    View norm_;                  // [channels]
};

}  // namespace gemma3n::model::audio
