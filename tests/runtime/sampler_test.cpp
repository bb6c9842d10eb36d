// The sampler against the same filters written straight from their definitions, in double, over the whole vocabulary.
#include "runtime/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace gemma3n::test {
namespace {

using runtime::Sampler;

const std::vector<bool> nothing;

// Probabilities after temperature, top_k, top_p and min_p, each from its definition and renormalised before the next.
std::vector<double> distribution(const std::vector<float>& logits, const SamplingOptions& o, float softcap, const std::vector<bool>& masked) {
    const size_t n = logits.size();
    std::vector<double> p(n), l(n);
    for (size_t i = 0; i < n; i++) l[i] = (softcap > 0 ? softcap * std::tanh(logits[i] / softcap) : logits[i]) / static_cast<double>(o.temperature);
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    const auto is_masked = [&](size_t i) { return !masked.empty() && masked[i]; };
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
    order.erase(std::remove_if(order.begin(), order.end(), is_masked), order.end());
    const auto softmax = [&] {
        std::fill(p.begin(), p.end(), 0);
        double sum = 0;
        for (const size_t i : order) sum += p[i] = std::exp(l[i] - l[order[0]]);
        for (double& x : p) x /= sum;
    };
    if (o.top_k > 0 && order.size() > static_cast<size_t>(o.top_k)) order.resize(static_cast<size_t>(o.top_k));
    softmax();
    if (o.top_p < 1) {  // the smallest set of the likeliest that reaches top_p
        double before = 0;
        size_t keep = 0;
        while (keep < order.size() && (keep == 0 || before < static_cast<double>(o.top_p))) before += p[order[keep++]];
        order.resize(keep);
        softmax();
    }
    if (o.min_p > 0) {
        const double least = o.min_p * p[order[0]];
        order.erase(std::remove_if(order.begin() + 1, order.end(), [&](size_t i) { return p[i] < least; }), order.end());
        softmax();
    }
    return p;
}

void expect_distribution(const std::vector<float>& logits, const SamplingOptions& options, float softcap = 0, const std::vector<bool>& masked = nothing) {
    constexpr int n_draws = 4000;
    const std::vector<double> p = distribution(logits, options, softcap, masked);
    Sampler sampler(options, softcap, masked);
    std::vector<int> counts(logits.size());
    for (int i = 0; i < n_draws; i++) counts[static_cast<size_t>(sampler(logits))]++;
    for (size_t i = 0; i < p.size(); i++) {
        // five standard deviations; what was filtered out is never drawn
        const double expected = p[i] * n_draws, deviation = 5 * std::sqrt(n_draws * p[i] * (1 - p[i]));
        EXPECT_NEAR(counts[i], expected, p[i] > 0 ? deviation + 1 : 0) << "id " << i << " temperature " << options.temperature << " top_k " << options.top_k << " top_p " << options.top_p << " min_p " << options.min_p;
    }
}

std::vector<float> some_logits(size_t n, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 2);
    std::vector<float> l(n);
    for (float& x : l) x = normal(random);
    return l;
}

TEST(Sampler, EachFilterAndAllTogether) {
    const auto logits = some_logits(40, 1);
    for (const float temperature : {0.3f, 4.0f})
        for (const int top_k : {0, 2, 7, 1000})
            for (const float top_p : {1.0f, 0.9f, 0.4f, 0.0f})
                for (const float min_p : {0.0f, 0.2f, 1.0f}) expect_distribution(logits, {.temperature = temperature, .top_k = top_k, .top_p = top_p, .min_p = min_p, .seed = 3});
}

TEST(Sampler, TheOrderOfFiltersMatters) {
    // top_p sees what top_k left: of 0.5, 0.3, 0.2 the two likeliest are 0.625 and 0.375, and the first alone reaches 0.6
    const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
    Sampler sampler({.temperature = 1, .top_k = 2, .top_p = 0.6f}, 0, nothing);
    for (int i = 0; i < 1000; i++) EXPECT_EQ(sampler(logits), 0);
    expect_distribution(logits, {.temperature = 1, .top_k = 3, .top_p = 0.6f});
}

TEST(Sampler, SoftCapIsPartOfTheProbabilities) {
    auto logits = some_logits(30, 2);
    for (float& x : logits) x *= 20;
    expect_distribution(logits, {.temperature = 5, .top_k = 0, .top_p = 1}, 30);
    expect_distribution(logits, {.temperature = 5, .top_k = 10, .top_p = 0.8f, .min_p = 0.1f}, 30);
}

TEST(Sampler, MaskedIdsAreNeverTaken) {
    auto logits = some_logits(30, 3);
    logits[4] = 100;
    std::vector<bool> masked(30);
    masked[4] = masked[5] = true;
    expect_distribution(logits, {.temperature = 2, .top_k = 8, .top_p = 1}, 0, masked);
    expect_distribution(logits, {.temperature = 2, .top_k = 0, .top_p = 0.7f}, 0, masked);
    EXPECT_NE(Sampler({.temperature = 0}, 0, masked)(logits), 4);
}

TEST(Sampler, GreedyTakesTheLowestOfEquals) {
    const std::vector<float> logits = {1, 3, 3, -2, 3};
    EXPECT_EQ(Sampler({.temperature = 0}, 0, nothing)(logits), 1);
    EXPECT_EQ(Sampler({.temperature = 1, .top_k = 1}, 0, nothing)(logits), 1);
    expect_distribution(logits, {.temperature = 1, .top_k = 2, .top_p = 1});  // of equals at the edge of top_k the lowest stay
}

TEST(Sampler, NanAndInfinityAreSurvived) {
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    const std::vector<float> cases[] = {{nan, nan, nan}, {-inf, -inf, -inf}, {inf, inf, 1}, {nan, inf, -inf}, {}};
    for (const float temperature : {0.0f, 1e-30f, 1.0f, inf})
        for (const int top_k : {0, 1, 2, 100})
            for (const auto& logits : cases) {
                const int id = Sampler({.temperature = temperature, .top_k = top_k, .min_p = 0.1f}, top_k ? 30 : 0, nothing)(logits);
                EXPECT_TRUE(id >= 0 && id < 3) << id;
            }
    for (const float temperature : {0.0f, 0.01f}) {
        EXPECT_EQ(Sampler({.temperature = temperature}, 0, nothing)(std::vector<float>{nan, 1, 5, nan, 2}), 2) << "a NaN is never the best";
        EXPECT_EQ(Sampler({.temperature = temperature}, 0, nothing)(std::vector<float>{1, 5, inf, 2}), 2);
    }
}

TEST(Sampler, OnlyThePublishedVocabularyIsMasked) {
    model::Config c;
    c.family = model::Family::gemma3n;
    c.per_layer_vocab = 262144;
    for (const int64_t vocab : {262144, 262400}) {
        c.vocab = vocab;
        const auto masked = runtime::masked_ids(c);
        ASSERT_EQ(masked.size(), static_cast<size_t>(vocab));
        EXPECT_EQ(std::count(masked.begin(), masked.end(), true), 3 + vocab - 262144);
        EXPECT_TRUE(masked[0] && masked[255999] && masked[256000]);
        EXPECT_FALSE(masked[1] || masked[106] || masked[262143]);
    }
    c.vocab = 262143;
    EXPECT_TRUE(runtime::masked_ids(c).empty());
    c.vocab = 262400;
    c.family = model::Family::gemma3;
    EXPECT_TRUE(runtime::masked_ids(c).empty());
}

}  // namespace
}  // namespace gemma3n::test
