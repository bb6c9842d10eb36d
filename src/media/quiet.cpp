// Where long sound is cut: in the middle of the quietest fifth of a second of the last third that a piece may have.
#include "gemma3n/media.h"

#include <algorithm>
#include <cmath>

namespace gemma3n {

namespace {

constexpr int64_t hop = sound_rate / 100, hops_of_window = 20;

// The energy of the window around a place; what lies outside of the sound is silence.
double energy(std::span<const float> samples, int64_t centre) {
    const int64_t n = static_cast<int64_t>(samples.size()), half = hop * hops_of_window / 2;
    double sum = 0;
    for (int64_t i = std::max<int64_t>(0, centre - half); i < std::min(n, centre + half); i++) {
        const double x = samples[static_cast<size_t>(i)];
        sum += x * x;
    }
    return sum;
}

}  // namespace

std::vector<Piece> pieces_at_quiet_points(std::span<const float> samples, double max_seconds) {
    const int64_t n = static_cast<int64_t>(samples.size());
    const double wanted = max_seconds * static_cast<double>(sound_rate);
    const int64_t most = !(wanted < static_cast<double>(n)) ? n : std::max<int64_t>(1, static_cast<int64_t>(std::floor(std::max(wanted, 1.0))));
    std::vector<Piece> pieces;
    int64_t begin = 0;
    while (n - begin > most) {
        // a tenth of a piece is left for the last one; of equally quiet places the latest is taken, which makes the fewest pieces
        const int64_t last = std::min(begin + most, n - most / 10), first = begin + most - most / 3;
        int64_t cut = last;
        double quietest = INFINITY;
        for (int64_t at = first; at <= last; at += hop) {  // places that do not depend on how much follows: ClipCutter builds on that
            const double e = energy(samples, at);
            if (e <= quietest) quietest = e, cut = at;
        }
        pieces.push_back({begin, cut});
        begin = cut;
    }
    if (n > begin) pieces.push_back({begin, n});
    return pieces;
}

}  // namespace gemma3n
