// How fast a loaded model runs: a prompt of ids spread over the whole vocabulary, then ids decoded one by one, both taken from a
// seed, so that every machine and every program is given the same. Results are checked before they are timed.
#pragma once

#include "gemma3n/engine.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gemma3n::measure {

struct BenchPlan {
    int64_t prompt = 512, decode = 64;
    int repeats = 3;
    uint64_t seed = 1;
    std::vector<std::string> sizes;  // as Engine::find_size takes them; none: the engine's. All take turns, so that they share the machine's moods
};

struct PhaseTimes {
    std::vector<double> tokens_per_s;  // of each repeat, sorted
    double wall_s = 0;                 // of one more run, with a clock around each step
    std::vector<StepTime> steps;       // of that run, longest first, those that ran
    double median() const { return tokens_per_s[tokens_per_s.size() / 2]; }
};

struct SizeBench {
    SizeInfo size;
    PhaseTimes prefill, decode;
    double prefill_speedup = 1, decode_speedup = 1;  // over the first size: the middle of the ratios of runs that were neighbours, which the machine's moods hardly touch
};

struct Bench {
    std::vector<SizeBench> sizes;  // at least one
    uint64_t peak_rss_bytes = 0;
};

// `progress` is given the share that is done; false cancels.
Result<Bench> bench(Engine& engine, const BenchPlan& plan, const std::function<bool(double)>& progress);

// n ids from the seed, each of [0, vocab).
std::vector<int> spread_ids(int64_t n, int64_t vocab, uint64_t seed);

}  // namespace gemma3n::measure
