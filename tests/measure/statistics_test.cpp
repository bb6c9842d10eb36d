// Means, percentiles and the interval, against their definitions.
#include "measure/statistics.h"

#include "measure/exp.h"
#include "measure/log_prob.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gemma3n::measure {
namespace {

TEST(Statistics, MeanAndItsStandardError) {
    const std::vector<double> v{1, 2, 4, 9};
    EXPECT_DOUBLE_EQ(mean(v).value, 4);
    EXPECT_DOUBLE_EQ(mean(v).error, std::sqrt((9 + 4 + 0 + 25) / 3.0 / 4));
    EXPECT_EQ(mean(std::vector<double>{7}).error, 0);
}

TEST(Statistics, QuantilesLieBetweenNeighbours) {
    const std::vector<double> v{0, 10, 20, 40};
    EXPECT_DOUBLE_EQ(quantile(v, 0), 0);
    EXPECT_DOUBLE_EQ(quantile(v, 0.5), 15);
    EXPECT_DOUBLE_EQ(quantile(v, 1), 40);
    EXPECT_DOUBLE_EQ(quantile(std::vector<double>{3}, 0.9), 3);
}

// The ends are where the observed share is 1.96 deviations of the *true* share away: the definition, checked without the formula.
TEST(Statistics, IntervalEndsAreTwoDeviationsAway) {
    for (const auto& [right, n] : {std::pair<int64_t, int64_t>{8, 10}, {1, 40}, {17, 19}}) {
        const double observed = static_cast<double>(right) / static_cast<double>(n);
        for (const double p : {interval_95(right, n).low, interval_95(right, n).high}) {
            EXPECT_NEAR(std::fabs(observed - p) / std::sqrt(p * (1 - p) / static_cast<double>(n)), 1.959964, 1e-5);
        }
    }
    EXPECT_EQ(interval_95(0, 20).low, 0);
    EXPECT_EQ(interval_95(20, 20).high, 1);
    EXPECT_GT(interval_95(0, 20).high, 0.1);
}

TEST(LogProb, ExpIsWithinRounding) {
    for (float x = 0; x > -87; x -= 0.0137f) EXPECT_NEAR(exp_not_positive(x) / std::exp(static_cast<double>(x)), 1, 3e-7) << x;
    EXPECT_EQ(exp_not_positive(-88), 0);
    EXPECT_EQ(exp_not_positive(-1e30f), 0);
    EXPECT_EQ(exp_not_positive(0), 1);
}

TEST(LogProb, SummaryOfRowsOfAnyLength) {
    for (const size_t n : {size_t{1}, size_t{15}, size_t{16}, size_t{4097}, size_t{50001}}) {
        std::vector<float> row(n);
        for (size_t i = 0; i < n; i++) row[i] = 9 * std::sin(static_cast<float>(i) * 0.37f) - 3;
        row[n / 2] = 11;
        double sum = 0;
        for (const float x : row) sum += std::exp(static_cast<double>(x));
        const RowSummary s = summarise(row);
        EXPECT_NEAR(s.log_sum_exp, std::log(sum), 1e-6) << n;
        EXPECT_EQ(s.best, static_cast<int64_t>(n / 2));
        EXPECT_EQ(s.max, 11);
        EXPECT_EQ(s.min, *std::min_element(row.begin(), row.end()));
    }
}

TEST(LogProb, WhatIsNotFiniteIsSeen) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
        std::vector<float> row(100, 1.0f);
        row[63] = bad;
        EXPECT_FALSE(std::isfinite(summarise(row).log_sum_exp)) << bad;
    }
}

}  // namespace
}  // namespace gemma3n::measure
