// The benchmark's own honesty: ids, phases, a clock that changes nothing, and refusal of results that are not numbers.
#include "measure/bench.h"

#include "measure/roof.h"
#include "runtime/tiny_engine.h"

#include <algorithm>
#include <set>

namespace gemma3n::measure {
namespace {

class TinyBench : public test::TinyEngine {};

TEST(SpreadIds, CoverTheVocabularyAndRepeat) {
    const std::vector<int> ids = spread_ids(4000, 1000, 7);
    const std::set<int> different(ids.begin(), ids.end());
    EXPECT_GE(*different.begin(), 0);
    EXPECT_LT(*different.rbegin(), 1000);
    EXPECT_GT(different.size(), 950u);
    EXPECT_EQ(ids, spread_ids(4000, 1000, 7));
    EXPECT_NE(ids, spread_ids(4000, 1000, 8));
}

TEST_F(TinyBench, MeasuresBothPhases) {
    std::vector<double> shares;
    const auto b = bench(*engine_, {.prompt = 40, .decode = 5, .repeats = 3}, [&](double s) { return shares.push_back(s), true; });
    ASSERT_TRUE(b) << b.error().message;
    EXPECT_EQ(b->sizes[0].prefill.tokens_per_s.size(), 3u);
    EXPECT_TRUE(std::is_sorted(b->sizes[0].decode.tokens_per_s.begin(), b->sizes[0].decode.tokens_per_s.end()));
    EXPECT_GT(b->sizes[0].prefill.median(), 0);
    EXPECT_GT(b->peak_rss_bytes, 1u << 20);
    uint64_t read = 0;
    for (const ByteClass& c : engine_->info().bytes) read += c.name == "core" || c.name == "head" ? c.file_bytes : 0;
    EXPECT_EQ(b->sizes[0].size.bytes_per_token, read - 243) << "of the sparse layer's up_proj, 8 rows of 8 values in f32, 95 % stay unread";
    EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
    EXPECT_LT(shares.back(), 1);
    double sum = 0;
    for (const StepTime& t : b->sizes[0].decode.steps) sum += t.seconds;
    EXPECT_LE(sum, b->sizes[0].decode.wall_s);
    const auto ffn = std::find_if(b->sizes[0].decode.steps.begin(), b->sizes[0].decode.steps.end(), [](const StepTime& t) { return t.name == "gated_ffn"; });
    ASSERT_NE(ffn, b->sizes[0].decode.steps.end());
    EXPECT_EQ(ffn->calls, 5 * engine_->info().n_layers);
}

TEST_F(TinyBench, TheClockChangesNothingAndIsGoneAfterwards) {
    const std::vector<float> before = alone(prompt_);
    std::vector<float> timed;
    const auto times = engine_->time_steps([&] { timed = alone(prompt_); });
    EXPECT_EQ(timed, before);
    std::set<std::string> names;
    for (const StepTime& t : times) {
        names.insert(t.name);
        EXPECT_GT(t.calls, 0) << t.name << ": the tiny model is a Gemma 3n and uses every step";
    }
    EXPECT_EQ(names.size(), 14u);
    const auto none = engine_->time_steps([] {});
    for (const StepTime& t : none) EXPECT_EQ(t.calls, 0);
    EXPECT_EQ(alone(prompt_), before);
}

TEST_F(TinyBench, Cancels) {
    const auto b = bench(*engine_, {.prompt = 8, .decode = 2}, [](double) { return false; });
    ASSERT_FALSE(b);
    EXPECT_EQ(b.error().code, Code::cancelled);
}

TEST_F(TinyBench, WhatDoesNotFitTheContextIsRefused) {
    const auto b = bench(*engine_, {.prompt = engine_->info().context_length, .decode = 1}, {});
    ASSERT_FALSE(b);
}

TEST(Roof, OneThreadAndAll) {
    const auto r = measure_roof("reference", 2);
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_GE(r->buffer_bytes, 256u << 20);
    ASSERT_EQ(r->at.size(), 2u);
    EXPECT_EQ(r->at[0].threads, 1);
    EXPECT_EQ(r->at[1].threads, 2);
    for (const RoofAt& a : r->at) {
        EXPECT_GT(a.read_gb_per_s, 0.1);
        EXPECT_LT(a.read_gb_per_s, 5000) << "nothing reads as fast: the loop was optimised away";
        EXPECT_GT(a.int8_gops, 0.1);
        EXPECT_LT(a.int8_gops, 50000);
        EXPECT_GT(a.f32_gflops, 0.1);
        EXPECT_LT(a.f32_gflops, 5000);
    }
    EXPECT_FALSE(measure_roof("none", 1));
}

}  // namespace
}  // namespace gemma3n::measure
