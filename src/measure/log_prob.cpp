#include "measure/log_prob.h"

#include "measure/exp.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemma3n::measure {

RowSummary summarise(std::span<const float> logits) {
    constexpr size_t lanes = 16, run = 4096;  // float sums of a run, double sums of runs
    RowSummary s;
    float max = -std::numeric_limits<float>::infinity(), min = std::numeric_limits<float>::infinity();
    for (const float x : logits) {
        max = x > max ? x : max;
        min = x < min ? x : min;
    }
    s.max = max, s.min = min;
    double sum = 0;
    for (size_t at = 0; at < logits.size(); at += run) {
        const size_t n = std::min(run, logits.size() - at);
        const float* x = logits.data() + at;
        float partial[lanes] = {};
        size_t i = 0;
        for (; i + lanes <= n; i += lanes)
            for (size_t j = 0; j < lanes; j++) partial[j] += exp_not_positive(x[i + j] - max);
        for (; i < n; i++) partial[0] += exp_not_positive(x[i] - max);
        for (const float p : partial) sum += p;
    }
    s.best = std::find(logits.begin(), logits.end(), max) - logits.begin();
    bool finite = true;
    for (const float x : logits) finite &= std::fabs(x) <= std::numeric_limits<float>::max();
    s.log_sum_exp = finite ? max + std::log(sum) : std::numeric_limits<double>::quiet_NaN();
    return s;
}

}  // namespace gemma3n::measure
