// Stretching a picture as the reference's processor does it: Pillow's bilinear filter with antialiasing, in its own arithmetic. Weights
// are whole numbers of 2^-22; the rows are resized first and rounded to bytes, then the columns, which rounds again.
#include "gemma3n/media.h"

#include "base/result.h"

#include <algorithm>
#include <cmath>

namespace gemma3n {

namespace {

constexpr int weight_bits = 22;
constexpr int64_t largest_side = 16384;  // of either picture: sizes stay far from overflow

// Where one output position reads: `n` values from `first`, with their weights.
struct Reading {
    int64_t first = 0;
    std::vector<int32_t> weights;
};

// A triangle of the width of one output pixel, in input pixels; never narrower than one input pixel.
std::vector<Reading> readings(int64_t in, int64_t out) {
    const double scale = static_cast<double>(in) / static_cast<double>(out), half = std::max(scale, 1.0);
    std::vector<Reading> all(static_cast<size_t>(out));
    std::vector<double> w;
    for (int64_t i = 0; i < out; i++) {
        const double centre = scale * (static_cast<double>(i) + 0.5);
        const int64_t low = std::max(static_cast<int64_t>(centre - half + 0.5), int64_t{0}), high = std::min(static_cast<int64_t>(centre + half + 0.5), in);
        w.clear();
        double sum = 0;
        for (int64_t j = low; j < high; j++) {
            w.push_back(std::max(0.0, 1 - std::fabs((static_cast<double>(j) - centre + 0.5) / half)));
            sum += w.back();
        }
        Reading& r = all[static_cast<size_t>(i)];
        r.first = low;
        for (const double x : w) r.weights.push_back(static_cast<int32_t>(std::floor(x / sum * (1 << weight_bits) + 0.5)));
    }
    return all;
}

uint8_t rounded(int64_t sum) { return static_cast<uint8_t>(std::clamp<int64_t>((sum + (int64_t{1} << (weight_bits - 1))) >> weight_bits, 0, 255)); }

// A line along one axis: values in and out, and the bytes between neighbours.
struct Axis {
    int64_t in, out, step_in, step_out;
};

void resize_line(const uint8_t* from, uint8_t* to, const std::vector<Reading>& readings, const Axis& a) {
    for (int64_t i = 0; i < a.out; i++) {
        const Reading& r = readings[static_cast<size_t>(i)];
        int64_t sum[3] = {};
        const uint8_t* p = from + r.first * a.step_in;
        for (const int32_t w : r.weights) {
            for (int c = 0; c < 3; c++) sum[c] += int64_t{w} * p[c];
            p += a.step_in;
        }
        for (int c = 0; c < 3; c++) to[i * a.step_out + c] = rounded(sum[c]);
    }
}

}  // namespace

Result<Image> resized(const Image& image, int64_t side) {
    const int64_t w = image.width, h = image.height;
    if (w < 1 || h < 1 || w > largest_side || h > largest_side || image.rgb.size() != static_cast<size_t>(w * h * 3)) {
        return fail(Code::bad_argument, "a picture of %lld x %lld with %zu bytes: expected 1 to %lld a side and 3 bytes a pixel", static_cast<long long>(w), static_cast<long long>(h),
                    image.rgb.size(), static_cast<long long>(largest_side));
    }
    if (side < 1 || side > largest_side) {
        return fail(Code::bad_argument, "a picture resized to %lld pixels a side: expected 1 to %lld", static_cast<long long>(side), static_cast<long long>(largest_side));
    }
    std::vector<uint8_t> across;  // [h, side, 3]; a side that fits already is not touched
    const std::vector<uint8_t>* from = &image.rgb;
    if (w != side) {
        across.resize(static_cast<size_t>(h * side * 3));
        const auto columns = readings(w, side);
        for (int64_t y = 0; y < h; y++) resize_line(image.rgb.data() + y * w * 3, across.data() + y * side * 3, columns, {w, side, 3, 3});
        from = &across;
    }
    Image out{side, side, {}};
    if (h == side) {
        out.rgb = *from;
        return out;
    }
    out.rgb.resize(static_cast<size_t>(side * side * 3));
    const auto rows = readings(h, side);
    for (int64_t x = 0; x < side; x++) resize_line(from->data() + x * 3, out.rgb.data() + x * 3, rows, {h, side, side * 3, side * 3});
    return out;
}

}  // namespace gemma3n
