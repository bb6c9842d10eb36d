// How texts are cut. The expected numbers are those of llama.cpp's perplexity program, worked out by hand from its rules.
#include "measure/windows.h"

#include <gtest/gtest.h>

namespace gemma3n::measure {
namespace {

TEST(Windows, SecondHalvesOfWindowsThatDoNotOverlap) {
    const auto w = cut_windows(22273, {}, "t");
    ASSERT_TRUE(w);
    ASSERT_EQ(w->size(), 43u);
    EXPECT_EQ(w->at(42).begin, 42 * 512);
    EXPECT_EQ(w->at(42).first, 256);
}

TEST(Windows, OddWindowsScoreWhatIsLeft) {
    const auto w = cut_windows(23, {.n_ctx = 11}, "t");
    ASSERT_TRUE(w);
    ASSERT_EQ(w->size(), 2u);
    EXPECT_EQ((*w)[1].first, 5) << "five of eleven are scored";
}

TEST(Windows, StridesScoreEveryIdOnce) {
    const auto w = cut_windows(100, {.n_ctx = 20, .stride = 8}, "t");
    ASSERT_TRUE(w);
    ASSERT_EQ(w->size(), 10u);
    int64_t next = 12;  // the first id that a window scores
    for (const Window& x : *w) {
        EXPECT_EQ(x.begin + x.first + 1, next);
        next = x.begin + 20;
        EXPECT_LE(next, 100);
    }
}

TEST(Windows, FewerWhenAsked) {
    EXPECT_EQ(cut_windows(5000, {.max_windows = 3}, "t")->size(), 3u);
    EXPECT_EQ(cut_windows(1024, {.max_windows = 30}, "t")->size(), 2u);
}

TEST(Windows, RefusesWhatSaysNothing) {
    EXPECT_EQ(cut_windows(1023, {}, "a.txt").error().message, "a.txt: has 1023 tokens: expected 1024 or more, twice the window of 512");
    EXPECT_EQ(cut_windows(1000, {.n_ctx = 3}, "t").error().message, "windows of 3 tokens: expected 4 or more");
    EXPECT_EQ(cut_windows(1000, {.n_ctx = 16, .stride = 16}, "t").error().message, "a stride of 16 tokens: expected 1 to 15, less than the window");
}

}  // namespace
}  // namespace gemma3n::measure
