// Means with their standard error, percentiles, and the interval of a proportion.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gemma3n::measure {

struct Mean {
    double value = 0;
    double error = 0;  // standard error of the mean; 0 for a single value
};
Mean mean(std::span<const double> values);

// The value below which a share of the sorted values lies, between neighbours in proportion. `sorted` is not empty.
double quantile(std::span<const double> sorted, double share);

// Wilson's 95 % interval of a proportion: it stays inside 0..1 and holds for few trials, unlike mean +- 1.96 deviations.
struct Interval {
    double low = 0, high = 0;
};
Interval interval_95(int64_t successes, int64_t trials);

}  // namespace gemma3n::measure
