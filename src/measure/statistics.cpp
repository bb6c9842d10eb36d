#include "measure/statistics.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::measure {

Mean mean(std::span<const double> values) {
    const double n = static_cast<double>(values.size());
    if (values.empty()) return {};
    double sum = 0, squares = 0;
    for (const double v : values) sum += v;
    const double m = sum / n;
    for (const double v : values) squares += (v - m) * (v - m);
    return {m, values.size() > 1 ? std::sqrt(squares / (n - 1) / n) : 0};
}

double quantile(std::span<const double> sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const size_t below = static_cast<size_t>(at), above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval interval_95(int64_t successes, int64_t trials) {
    if (trials == 0) return {0, 1};
    const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n, z = 1.959963984540054, z2 = z * z;
    const double centre = (p + z2 / (2 * n)) / (1 + z2 / n), half = z / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

}  // namespace gemma3n::measure
