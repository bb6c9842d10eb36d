// The cache against a model of it that keeps every token for ever: after any mix of steps, forks and rollbacks each slot a query
// can see holds what was written for that token of that sequence, whatever other sequences did meanwhile.
#include "model/cache/cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace gemma3n::test {
namespace {

using model::Cache;
using model::CacheLayout;
using model::Config;

constexpr int64_t page_tokens = 4, slack = 6, window = 10;
constexpr CacheLayout layout{DType::f32, page_tokens, slack};

// Layer 0 sliding, 1 global, 2 sliding of one token, 3 reads layer 0's cache.
Config config() {
    Config c;
    c.n_layers = 4;
    c.n_kv_heads = 2;
    c.head_dim = 2;
    c.window = window;
    c.layers = {{true, 1, 0, 0}, {false, 1, 0, 1}, {true, 1, 0, 2}, {true, 1, 0, 0}};
    return c;
}

// A cache and what must be in it.
struct Sequence {
    Cache cache;
    std::vector<float> tokens;  // the value written for each
    int64_t longest = 0;        // it has ever been: pages are given back by that

    void write(int64_t n, float value) {
        cache.prepare(n);
        for (int64_t i = 0; i < n; i++) put(static_cast<int64_t>(tokens.size()) + i, value + static_cast<float>(i));
    }
    void step(int64_t n, float value) {
        write(n, value);
        for (int64_t i = 0; i < n; i++) tokens.push_back(value + static_cast<float>(i));
        cache.commit(n);
        longest = std::max(longest, cache.length());
    }
    void put(int64_t position, float value) {
        for (int l = 0; l < 3; l++) {
            const ops::KvPages pages = cache.pages(l);
            for (int which = 0; which < 2; which++)
                for (int64_t h = 0; h < 2; h++) {
                    const float v[] = {value + which, value + static_cast<float>(h)};
                    memcpy(pages.page(position / page_tokens).at(which, h, position % page_tokens), v, sizeof v);
                }
        }
    }
    void expect_whole(const std::string& what) const {
        const int64_t n = static_cast<int64_t>(tokens.size());
        ASSERT_EQ(cache.length(), n) << what;
        for (int l = 0; l < 3; l++) {
            const ops::KvPages pages = cache.pages(l);
            const int64_t from = l == 1 ? 0 : std::max<int64_t>(0, n - window + 1);
            for (int64_t p = from; p < n; p++) {
                const int64_t i = p / page_tokens - pages.first;
                ASSERT_TRUE(i >= 0 && i < static_cast<int64_t>(pages.pages.size())) << what << ": layer " << l << " has no page for token " << p << " of " << n;
                float v[2];
                memcpy(v, pages.pages[static_cast<size_t>(i)]->at(1, 1, p % page_tokens), sizeof v);
                ASSERT_EQ(v[0], tokens[p] + 1) << what << ": layer " << l << " token " << p << " of " << n;
                ASSERT_EQ(v[1], tokens[p] + 1) << what << ": layer " << l << " token " << p << " of " << n;
            }
        }
    }
};

Sequence fresh() { return {Cache(config(), layout), {}, 0}; }

TEST(Cache, RandomStepsForksAndRollbacksKeepEveryTokenInSight) {
    std::mt19937 random(7);
    for (int round = 0; round < 30; round++) {
        std::vector<Sequence> all = {fresh()};
        float value = 1;
        for (int op = 0; op < 200; op++) {
            Sequence& s = all[random() % all.size()];
            const int64_t n = s.cache.length();
            const int what = static_cast<int>(random() % 10);
            if (what < 6) {
                const int64_t m = 1 + static_cast<int64_t>(random() % (what < 4 ? 3 : 15));
                s.step(m, value);
                value += 100;
            } else if (what == 6 && all.size() < 6) {
                all.push_back({s.cache.fork(), s.tokens, s.longest});
            } else if (what == 7) {
                s.write(1 + static_cast<int64_t>(random() % 12), -1);  // a step that fails after it wrote
            } else if (what == 8) {
                const int64_t to = static_cast<int64_t>(random() % static_cast<uint64_t>(n + 1));
                if (s.cache.rollback(to)) s.tokens.resize(static_cast<size_t>(to));
                else EXPECT_LT(to, s.longest - slack) << "within the slack it always works";
            } else if (random() % 20 == 0) {
                s.cache.clear();
                s.tokens.clear();
                s.longest = 0;
            }
            for (size_t i = 0; i < all.size(); i++) all[i].expect_whole("round " + std::to_string(round) + " operation " + std::to_string(op) + " sequence " + std::to_string(i));
            if (HasFatalFailure()) return;
        }
    }
}

// A step that failed left pages behind; a fork shared them, and both sides wrote into the same memory.
TEST(Cache, PagesOfAFailedStepAreNotSharedByALaterFork) {
    Sequence a = fresh();
    a.step(3, 10);
    a.write(12, -1);
    Sequence b{a.cache.fork(), a.tokens, a.longest};
    a.step(12, 100);
    b.step(12, 200);
    a.expect_whole("first");
    b.expect_whole("fork");
}

TEST(Cache, WindowsHoldABoundedNumberOfPages) {
    Sequence s = fresh();
    const auto pages = [&](int layer) { return static_cast<int64_t>(s.cache.pages(layer).pages.size()); };
    for (int i = 0; i < 300; i++) {
        s.step(1, static_cast<float>(i));
        ASSERT_LE(pages(0), (window + slack + page_tokens - 1) / page_tokens + 1);
        ASSERT_LE(pages(2), (window + slack + page_tokens - 1) / page_tokens + 1);
        ASSERT_EQ(pages(1), (s.cache.length() + page_tokens - 1) / page_tokens);
    }
    const uint64_t page_bytes = 2 * 2 * page_tokens * 2 * sizeof(float);
    EXPECT_EQ(s.cache.bytes(), static_cast<uint64_t>(pages(0) + pages(1) + pages(2)) * page_bytes);
    s.step(100, 1000);  // a large chunk needs them all, for as long as it runs
    EXPECT_LE(pages(0), (window + slack + page_tokens - 1) / page_tokens + 1);
    s.cache.clear();
    EXPECT_EQ(s.cache.bytes(), 0u);
}

TEST(Cache, ARefusedRollbackChangesNothing) {
    Sequence s = fresh();
    s.step(40, 1);
    const Status refused = s.cache.rollback(20);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::bad_argument);
    EXPECT_EQ(refused.error().message,
              "rollback from 40 to 20 tokens: a window of 10 has given back pages the next token would see; the last 6 tokens can be dropped, more needs the prompt "
              "processed again");
    s.expect_whole("after the refusal");
    EXPECT_EQ(s.cache.rollback(41).error().message, "rollback to 41 tokens: the sequence has 40");
    EXPECT_EQ(s.cache.rollback(-1).error().message, "rollback to -1 tokens: the sequence has 40");
    s.expect_whole("after the refusals");
    ASSERT_TRUE(s.cache.rollback(34));
    s.tokens.resize(34);
    s.expect_whole("after the rollback");
}

TEST(Cache, RollbackToTheStartAlwaysWorks) {
    Sequence s = fresh();
    s.step(40, 1);
    ASSERT_TRUE(s.cache.rollback(0));
    EXPECT_EQ(s.cache.length(), 0);
    EXPECT_EQ(s.cache.bytes(), 0u);
    s.tokens.clear();
    s.step(5, 7);
    s.expect_whole("started again");
}

// Attention multiplies slots beyond a query's range by zero.
TEST(Cache, SlotsNobodyHasWrittenAreZero) {
    Sequence s = fresh();
    s.step(6, 1);
    ASSERT_TRUE(s.cache.rollback(5));
    for (const int layer : {0, 1}) {
        float v[6];  // tokens 5, 6 and 7, of which the first was rolled back
        memcpy(v, s.cache.pages(layer).page(1).at(0, 0, 1), sizeof v);
        EXPECT_TRUE(std::all_of(std::begin(v), std::end(v), [](float x) { return x == 0; }));
    }
}

// A fork held the page when the tail was dropped, and was gone when the page was written again.
TEST(Cache, NothingIsLeftOfADroppedTailThatAForkHeld) {
    Sequence s = fresh();
    s.step(7, 1);
    {
        const Cache fork = s.cache.fork();
        ASSERT_TRUE(s.cache.rollback(5));
    }
    s.tokens.resize(5);
    s.step(1, 9);
    s.expect_whole("after the rollback");
    for (const int layer : {0, 1}) {
        float v[4];  // tokens 6 and 7
        memcpy(v, s.cache.pages(layer).page(1).at(0, 0, 2), sizeof v);
        EXPECT_TRUE(std::all_of(std::begin(v), std::end(v), [](float x) { return x == 0; }));
    }
}

TEST(Cache, NothingIsLeftOfAFailedStep) {
    Sequence s = fresh();
    s.step(5, 1);
    s.write(3, -1);
    s.step(1, 9);
    float v[4];  // tokens 6 and 7
    memcpy(v, s.cache.pages(1).page(1).at(0, 0, 2), sizeof v);
    EXPECT_TRUE(std::all_of(std::begin(v), std::end(v), [](float x) { return x == 0; }));
}

}  // namespace
}  // namespace gemma3n::test
