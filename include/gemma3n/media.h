// Pictures and sound as the model's towers read them.
#pragma once

#include "gemma3n/result.h"
#include "gemma3n/status.h"

#include <cstdint>
#include <vector>

namespace gemma3n {

inline constexpr int64_t sound_rate = 16000;  // samples per second of all sound: mono, [-1, 1]

// RGB, 8 bit, row-major, upright.
struct Image {
    int64_t width = 0, height = 0;
    std::vector<uint8_t> rgb;  // [height, width, 3]
};

// Stretched to side x side as Pillow's bilinear filter does it, bit for bit. Not cropped, not letter-boxed.
Result<Image> resized(const Image& image, int64_t side);

}  // namespace gemma3n
