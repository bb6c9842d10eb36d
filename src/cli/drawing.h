// Pictures and sound as text for a terminal. From pixels to a string: nothing is printed here.
//
// A character is two pixels, one above the other: ▀ in the colour of the upper one on the colour of the lower one. Without colours it is
// one of ten plain characters, from ' ' for black to '@' for white, by the mean of the two.
#pragma once

#include "gemma3n/media.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace gemma3n::cli {

enum class Colours { shades, indexed, full };  // plain characters and no escape codes; 256 colours; 24 bits

struct Canvas {
    int64_t columns = 80;
    Colours colours = Colours::shades;
};

// By the environment's variables NO_COLOR, COLORTERM and TERM (null: not set).
Colours colours_of(bool terminal, const char* no_color, const char* colorterm, const char* term);
// Standard error as it is.
Canvas canvas_of_errors();

inline constexpr int64_t most_columns = 48, most_rows = 24;  // of a picture; a row of several may have twice as many columns

// So small that it fits, by averaging; the shape stays. Never larger than it is.
Image shrunk(const Image& image, int64_t width, int64_t height);
// Side by side, each in its share of the width, a column between them.
std::string drawn(std::span<const Image> row, const Canvas& canvas);

// The loudest of each stretch of sound. Memory does not grow with the length: stretches double when there are too many.
class Loudness {
public:
    void add(std::span<const float> samples);
    double seconds() const { return static_cast<double>(n_samples_) / static_cast<double>(sound_rate); }
    // At most so many, of equal stretches of the whole.
    std::vector<float> peaks(int64_t most) const;

private:
    static constexpr size_t most_stretches = 4096;
    int64_t stretch_ = sound_rate / 100, n_samples_ = 0;  // samples
    std::vector<float> peaks_;
};

// "▁▃█▅▁ 3.2 s": as tall as the loudest is loud.
std::string drawn(const Loudness& sound, const Canvas& canvas);

}  // namespace gemma3n::cli
