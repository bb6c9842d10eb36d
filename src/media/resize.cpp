// Stretching a picture as the reference's processor does it: Pillow's bilinear filter with antialiasing, in its own arithmetic. Weights
// are whole numbers of 2^-22; the rows are resized first and rounded to bytes, then the columns, which rounds again.
#include "gemma3n/media.h"

#include "base/result.h"

#include <algorithm>
#include <cmath>

namespace gemma3n {

namespace {

constexpr int weight_bits = 22;
constexpr int64_t largest_target = 16384;

// Where one output position reads: as many values as there are weights, from `first` on. The weights' sum is 2^22 up to rounding, so that
// sums of bytes stay below 2^31.
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

constexpr int32_t half_step = 1 << (weight_bits - 1);
uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> weight_bits, 0, 255)); }

// A row of pixels to as many as there are readings.
void resize_row(const uint8_t* from, const std::vector<Reading>& columns, uint8_t* to) {
    for (const Reading& r : columns) {
        int32_t sum[3] = {half_step, half_step, half_step};
        const uint8_t* p = from + r.first * 3;
        for (const int32_t w : r.weights) {
            for (int c = 0; c < 3; c++) sum[c] += w * p[c];
            p += 3;
        }
        for (int c = 0; c < 3; c++) *to++ = rounded(sum[c]);
    }
}

// Rows of n bytes to one.
void mix_rows(const uint8_t* from, int64_t n, const Reading& r, std::vector<int32_t>& sums, uint8_t* to) {
    sums.assign(static_cast<size_t>(n), half_step);
    const uint8_t* row = from + r.first * n;
    for (const int32_t w : r.weights) {
        for (int64_t i = 0; i < n; i++) sums[static_cast<size_t>(i)] += w * row[i];
        row += n;
    }
    for (int64_t i = 0; i < n; i++) to[i] = rounded(sums[static_cast<size_t>(i)]);
}

}  // namespace

Result<Image> resized(const Image& image, int64_t side) {
    const int64_t w = image.width, h = image.height;
    if (w < 1 || h < 1 || w > max_image_side || h > max_image_side || image.rgb.size() != static_cast<size_t>(w * h * 3)) {
        return fail(Code::bad_argument, "a picture of %lld x %lld with %zu bytes: expected 1 to %lld a side and 3 bytes a pixel", static_cast<long long>(w), static_cast<long long>(h),
                    image.rgb.size(), static_cast<long long>(max_image_side));
    }
    if (side < 1 || side > largest_target) {
        return fail(Code::bad_argument, "a picture resized to %lld pixels a side: expected 1 to %lld", static_cast<long long>(side), static_cast<long long>(largest_target));
    }
    std::vector<uint8_t> across;  // [h, side, 3]; a side that fits already is not touched
    if (w != side) {
        across.resize(static_cast<size_t>(h * side * 3));
        const auto columns = readings(w, side);
        for (int64_t y = 0; y < h; y++) resize_row(image.rgb.data() + y * w * 3, columns, across.data() + y * side * 3);
    }
    const std::vector<uint8_t>& rows = w != side ? across : image.rgb;
    if (h == side) return Image{side, side, rows};
    Image out{side, side, std::vector<uint8_t>(static_cast<size_t>(side * side * 3))};
    std::vector<int32_t> sums;
    const auto from = readings(h, side);
    for (int64_t y = 0; y < side; y++) mix_rows(rows.data(), side * 3, from[static_cast<size_t>(y)], sums, out.rgb.data() + y * side * 3);
    return out;
}

}  // namespace gemma3n
