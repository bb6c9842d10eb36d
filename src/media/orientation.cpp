// EXIF's orientation: found in the block, and applied.
#include "media/picture.h"

#include <algorithm>

namespace gemma3n::media {

namespace {

// Whole numbers of a TIFF block in its byte order; beyond the end they are 0.
struct Tiff {
    Bytes bytes;
    bool big = false;

    uint32_t number(uint64_t at, int n) const {
        if (at + static_cast<uint64_t>(n) > bytes.size()) return 0;
        uint32_t v = 0;
        for (int i = 0; i < n; i++) v |= static_cast<uint32_t>(bytes[at + static_cast<uint64_t>(i)]) << 8 * (big ? n - 1 - i : i);
        return v;
    }
};

constexpr uint32_t orientation_tag = 0x0112;

// Where pixel (0, 0), the step to the right and the step down of the upright picture lie in the stored one.
struct Walk {
    bool transposed, from_right, from_bottom;
};
constexpr Walk walks[9] = {{},
                           {false, false, false},
                           {false, true, false},
                           {false, true, true},
                           {false, false, true},
                           {true, false, false},
                           {true, false, true},
                           {true, true, true},
                           {true, true, false}};

}  // namespace

int exif_orientation(Bytes exif) {
    constexpr char head[] = "Exif\0";  // and the 0 of the literal: 6 bytes
    const auto is_head = [](std::byte b, char c) { return static_cast<char>(b) == c; };
    while (exif.size() >= 6 && std::equal(exif.begin(), exif.begin() + 6, head, is_head)) exif = exif.subspan(6);
    Tiff t{exif};
    if (exif.size() < 8) return 1;
    t.big = exif[0] == std::byte{'M'};
    if (exif[0] != exif[1] || (!t.big && exif[0] != std::byte{'I'}) || t.number(2, 2) != 42) return 1;
    const uint64_t directory = t.number(4, 4);
    const uint32_t n = t.number(directory, 2);
    for (uint64_t entry = directory + 2; entry < directory + 2 + 12 * uint64_t{n}; entry += 12) {
        if (t.number(entry, 2) != orientation_tag) continue;
        const uint32_t type = t.number(entry + 2, 2), v = type == 3 ? t.number(entry + 8, 2) : type == 4 ? t.number(entry + 8, 4) : type == 1 ? t.number(entry + 8, 1) : 1;
        return v >= 1 && v <= 8 && t.number(entry + 4, 4) == 1 ? static_cast<int>(v) : 1;
    }
    return 1;
}

// In tiles: a turned row of the one is a column of the other, and a line of the cache holds 21 pixels of it.
Image upright(Image stored, int orientation) {
    if (orientation < 2 || orientation > 8) return stored;
    const Walk& walk = walks[orientation];
    const int64_t w = stored.width, h = stored.height, tile = 32;
    Image out{walk.transposed ? h : w, walk.transposed ? w : h, std::vector<uint8_t>(stored.rgb.size())};
    const int64_t right = walk.transposed ? (walk.from_bottom ? -w : w) : (walk.from_right ? -1 : 1);
    const int64_t down = walk.transposed ? (walk.from_right ? -1 : 1) : (walk.from_bottom ? -w : w);
    const int64_t corner = (walk.from_bottom ? h - 1 : 0) * w + (walk.from_right ? w - 1 : 0);
    for (int64_t y0 = 0; y0 < out.height; y0 += tile) {
        for (int64_t x0 = 0; x0 < out.width; x0 += tile) {
            for (int64_t y = y0; y < std::min(y0 + tile, out.height); y++) {
                uint8_t* to = out.rgb.data() + (y * out.width + x0) * 3;
                int64_t from = corner + y * down + x0 * right;
                for (int64_t x = x0; x < std::min(x0 + tile, out.width); x++, from += right) {
                    for (int64_t c = 0; c < 3; c++) *to++ = stored.rgb[static_cast<size_t>(from * 3 + c)];
                }
            }
        }
    }
    return out;
}

}  // namespace gemma3n::media
