#include "cli/drawing.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace gemma3n::cli {

namespace {

using Pixel = std::array<uint8_t, 3>;

bool is_set(const char* s) { return s && *s; }

Pixel pixel(const Image& image, int64_t x, int64_t y) {
    const uint8_t* p = image.rgb.data() + 3 * (y * image.width + x);
    return {p[0], p[1], p[2]};
}

int shade(const Pixel& p) { return (299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000; }  // BT.601

int distance(const Pixel& a, const Pixel& b) {
    int d = 0;
    for (size_t c = 0; c < 3; c++) d += (a[c] - b[c]) * (a[c] - b[c]);
    return d;
}

// Of xterm's 256: 16..231 are a cube of six levels a channel, 232..255 greys. The first 16 are the person's own and say nothing.
int nearest_index(const Pixel& p) {
    constexpr std::array<uint8_t, 6> levels{0, 95, 135, 175, 215, 255};
    int index = 16;
    Pixel cube;
    for (size_t c = 0; c < 3; c++) {
        const auto nearest = std::min_element(levels.begin(), levels.end(), [&](int a, int b) { return std::abs(a - p[c]) < std::abs(b - p[c]); });
        cube[c] = *nearest;
        index += static_cast<int>(nearest - levels.begin()) * (c == 0 ? 36 : c == 1 ? 6 : 1);
    }
    const int grey = std::clamp((p[0] + p[1] + p[2]) / 3 - 3, 0, 230) / 10;
    const auto level = static_cast<uint8_t>(8 + 10 * grey);
    return distance(p, {level, level, level}) < distance(p, cube) ? 232 + grey : index;
}

std::string colour(const Pixel& p, const char* ground, Colours colours) {
    if (colours == Colours::indexed) return std::string(ground) + ";5;" + std::to_string(nearest_index(p));
    return std::string(ground) + ";2;" + std::to_string(p[0]) + ";" + std::to_string(p[1]) + ";" + std::to_string(p[2]);
}

// One row of characters of a picture: pixels 2 row and 2 row + 1, if there are as many.
std::string line(const Image& image, int64_t row, Colours colours) {
    std::string s, last;
    for (int64_t x = 0; x < image.width; x++) {
        const Pixel upper = pixel(image, x, 2 * row);
        const bool whole = 2 * row + 1 < image.height;
        const Pixel lower = whole ? pixel(image, x, 2 * row + 1) : upper;
        if (colours == Colours::shades) {
            constexpr std::string_view shades = " .:-=+*#%@";
            s += shades[static_cast<size_t>((shade(upper) + shade(lower)) / 2) * shades.size() / 256];
            continue;
        }
        const std::string now = "\033[" + colour(upper, "38", colours) + ";" + (whole ? colour(lower, "48", colours) : "49") + "m";
        if (now != last) s += now;
        last = now;
        s += "▀";
    }
    return last.empty() ? s : s + "\033[0m";
}

}  // namespace

Colours colours_of(bool terminal, const char* no_color, const char* colorterm, const char* term) {
    const std::string_view kind = is_set(term) ? term : "", depth = is_set(colorterm) ? colorterm : "";
    if (!terminal || is_set(no_color) || kind == "dumb") return Colours::shades;
    if (depth == "truecolor" || depth == "24bit") return Colours::full;
    return kind.find("256color") != std::string_view::npos ? Colours::indexed : Colours::shades;
}

Canvas canvas_of_errors() {
    Canvas c;
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) c.columns = size.ws_col;
    c.colours = colours_of(isatty(STDERR_FILENO), getenv("NO_COLOR"), getenv("COLORTERM"), getenv("TERM"));
    return c;
}

Image shrunk(const Image& image, int64_t width, int64_t height) {
    const int64_t w = image.width, h = image.height;
    if (w <= width && h <= height) return image;
    Image small;
    const bool wide = w * height >= h * width;
    small.width = wide ? width : std::max<int64_t>(1, (w * height + h / 2) / h);
    small.height = wide ? std::max<int64_t>(1, (h * width + w / 2) / w) : height;
    // each pixel counts once, in the one that its place falls into
    std::vector<uint64_t> sum(static_cast<size_t>(small.width) * 3);
    for (int64_t y = 0; y < small.height; y++) {
        std::fill(sum.begin(), sum.end(), 0);
        const int64_t top = y * h / small.height, bottom = (y + 1) * h / small.height;
        const auto left = [&](int64_t x) { return x * w / small.width; };
        for (int64_t from = top; from < bottom; from++) {
            const uint8_t* p = image.rgb.data() + 3 * from * w;
            for (int64_t x = 0; x < small.width; x++) {
                uint64_t* s = sum.data() + 3 * x;
                for (int64_t n = left(x + 1) - left(x); n > 0; n--, p += 3) s[0] += p[0], s[1] += p[1], s[2] += p[2];
            }
        }
        for (int64_t x = 0; x < small.width; x++) {
            const auto n = static_cast<uint64_t>((bottom - top) * (left(x + 1) - left(x)));
            for (int64_t c = 0; c < 3; c++) small.rgb.push_back(static_cast<uint8_t>((sum[static_cast<size_t>(3 * x + c)] + n / 2) / n));
        }
    }
    return small;
}

std::string drawn(std::span<const Image> row, const Canvas& canvas) {
    const auto n = static_cast<int64_t>(row.size());
    if (n == 0) return "";
    const int64_t share = std::clamp<int64_t>((std::min(canvas.columns, 2 * most_columns) - (n - 1)) / n, 1, most_columns);
    std::vector<Image> small;
    int64_t rows = 0;
    for (const Image& image : row) {
        small.push_back(shrunk(image, share, 2 * most_rows));
        rows = std::max(rows, (small.back().height + 1) / 2);
    }
    std::string s;
    for (int64_t y = 0; y < rows; y++) {
        for (size_t i = 0; i < small.size(); i++) {
            if (i > 0) s += ' ';
            s += 2 * y < small[i].height ? line(small[i], y, canvas.colours) : std::string(static_cast<size_t>(small[i].width), ' ');
        }
        s += '\n';
    }
    return s;
}

void Loudness::add(std::span<const float> samples) {
    for (const float sample : samples) {
        const auto at = static_cast<size_t>(n_samples_++ / stretch_);
        if (at == peaks_.size()) peaks_.push_back(0);
        peaks_[at] = std::max(peaks_[at], std::fabs(sample));
        if (peaks_.size() < most_stretches || n_samples_ % stretch_ != 0) continue;
        for (size_t i = 0; i < most_stretches / 2; i++) peaks_[i] = std::max(peaks_[2 * i], peaks_[2 * i + 1]);
        peaks_.resize(most_stretches / 2);
        stretch_ *= 2;
    }
}

std::vector<float> Loudness::peaks(int64_t most) const {
    const auto have = static_cast<int64_t>(peaks_.size()), n = std::min(have, most);
    std::vector<float> loudest;
    for (int64_t i = 0; i < n; i++) loudest.push_back(*std::max_element(peaks_.begin() + i * have / n, peaks_.begin() + (i + 1) * have / n));
    return loudest;
}

std::string drawn(const Loudness& sound, const Canvas& canvas) {
    char length[32];
    const int taken = snprintf(length, sizeof length, " %.1f s\n", sound.seconds());
    const std::vector<float> peaks = sound.peaks(std::clamp<int64_t>(canvas.columns - taken, 1, most_columns));
    if (peaks.empty()) return "";
    const float loudest = *std::max_element(peaks.begin(), peaks.end());
    std::string s;
    for (const float p : peaks) {
        constexpr const char* bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
        s += bars[loudest > 0 ? std::lround(7 * p / loudest) : 0];
    }
    return s + length;
}

}  // namespace gemma3n::cli
