// How fast the towers of a model run: pictures and sound to soft tokens, beside the multiplications that this takes. What is looked at and
// heard is made of numbers, the same on every machine; the result is checked before it is timed.
#pragma once

#include "gemma3n/engine.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace gemma3n::measure {

struct TowerTimes {
    std::vector<double> seconds;  // of each repeat, sorted: of a picture, or of a clip
    double multiplications = 0;   // of one: the tower and its embedder
    bool int8 = false;            // most of its weights are multiplied as 8-bit integers
    double median() const { return seconds[seconds.size() / 2]; }
    double gops() const { return 2e-9 * multiplications / median(); }  // multiplications and additions, 10^9 a second
};

// A picture of side x side pixels. `progress` is given the share that is done; false cancels.
Result<TowerTimes> bench_vision(Engine& engine, int64_t side, int repeats, const std::function<bool(double)>& progress);
// A clip of `seconds`, its own tokens only.
Result<TowerTimes> bench_audio(Engine& engine, double seconds, int repeats, const std::function<bool(double)>& progress);

}  // namespace gemma3n::measure
