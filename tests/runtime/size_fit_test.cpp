// Sizes under a limit: the best that fits, and changes between them.
#include "runtime/plan_case.h"

#include <fstream>

namespace gemma3n::test {
namespace {

// A directory that lists sizes of its own: the largest that fits is taken, and a refusal names the one that would.
TEST_F(Plan, SizeFitTakesTheBestThatFits) {
    const std::string p = dir_->path() + "/sizes";
    const Status written = synth::write_hf(*synth::find_shape("tiny"), format::Mix::f32, p, {});
    ASSERT_TRUE(written) << written.error().message;
    std::ifstream in(p + "/config.json");
    std::string config((std::istreambuf_iterator<char>(in)), {});
    in.close();
    config.insert(config.find('{') + 1, R"("slices": [{"name": "half", "widths": 128}, {"name": "quarter", "widths": 64, "skip": [8]}],)");
    std::ofstream(p + "/config.json") << config;

    const MemoryNeeds needs{.context_tokens = 600, .chunk_tokens = 16};  // no smaller steps that would make a larger size fit
    const auto peak = [&](const std::string& size) {
        const auto plan = plan_memory(p, {.threads = 2, .size = size}, needs);
        EXPECT_TRUE(plan) << size << ": " << (plan ? "" : plan.error().message);
        return plan ? plan->peak_bytes : 0;
    };
    const uint64_t full = peak("full"), half = peak("half"), quarter = peak("quarter");
    EXPECT_GT(full, half);
    EXPECT_GT(half, quarter);
    const auto chosen = [&](uint64_t limit) {
        const auto plan = plan_memory(p, {.threads = 2, .memory_limit = limit, .size = "fit"}, needs);
        return plan ? plan->size : plan.error().message;
    };
    EXPECT_EQ(chosen(full), "full");
    EXPECT_EQ(chosen(half), "half");
    EXPECT_EQ(chosen(quarter), "quarter");
    const auto none = plan_memory(p, {.threads = 2, .memory_limit = 10000000, .size = "fit"}, needs);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::over_budget);
    expect_way_out(p, {.threads = 2, .memory_limit = 10000000}, needs, none.error().message);
    EXPECT_EQ(plan_memory(p, {.threads = 2, .size = "fit"}, needs).error().code, Code::bad_argument) << "nothing to fit";

    const auto named = plan_memory(p, {.threads = 2, .memory_limit = half - 3000000}, needs);
    if (!named) {
        const std::string why = named.error().message;
        std::smatch m;
        if (std::regex_search(why, m, std::regex("size (\\w+)(,|$)"))) {
            EXPECT_TRUE(plan_memory(p, {.threads = 2, .memory_limit = half - 3000000, .size = m[1]}, needs)) << why;
        }
    }
    const auto slow = plan_memory(p, {.threads = 2, .memory_limit = full, .size = "fit"}, {.tokens_per_s = 0.001, .context_tokens = 600, .chunk_tokens = 16});
    ASSERT_TRUE(slow) << slow.error().message;
    EXPECT_EQ(slow->size, "full");
    EXPECT_GT(slow->tokens_per_s, 0.001);
    const auto fast = plan_memory(p, {.threads = 2, .memory_limit = full, .size = "fit"}, {.tokens_per_s = 1e9, .context_tokens = 600, .chunk_tokens = 16});
    ASSERT_FALSE(fast);
    EXPECT_NE(fast.error().message.find("no size answers"), std::string::npos) << fast.error().message;

    // the size that reads prompts counts where it is the larger
    const auto prefilled = plan_memory(p, {.threads = 2, .size = "half"}, {.context_tokens = 600, .chunk_tokens = 16, .prefill_size = "full"});
    ASSERT_TRUE(prefilled) << prefilled.error().message;
    EXPECT_EQ(prefilled->peak_bytes, full);
    EXPECT_EQ(prefilled->size, "half");

    // a second cache is refused where only one fits, and nothing changes
    const auto one = plan_memory(p, {.threads = 2}, {.context_tokens = 4096, .chunk_tokens = 1});
    const auto tight = load(p, {.threads = 2, .memory_limit = one->peak_bytes});
    ASSERT_TRUE(tight);
    const auto only = tight->new_session({.context_tokens = 4096, .chunk_tokens = 1});
    ASSERT_TRUE(only) << only.error().message;
    ASSERT_TRUE((*only)->append(ids(10)));
    ASSERT_FALSE((*only)->fork());
    Slice less = *tight->find_size("full");
    less.name = "less";
    less.layers.erase(less.layers.begin() + 1);
    less.ff.erase(less.ff.begin() + 1);
    const Status other = (*only)->set_size(less, {.reprocess = true});
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::over_budget) << other.error().message;
    EXPECT_EQ((*only)->n_tokens(), 10);

    // pages of a larger size stay where the whole fits
    {
        const auto two = load(p, {.threads = 2, .memory_limit = full + 40000000});
        const auto session = two->new_session({.context_tokens = 600, .chunk_tokens = 16});
        ASSERT_TRUE(session) << session.error().message;
        ASSERT_TRUE((*session)->append(ids(10)));
        ASSERT_TRUE((*session)->set_size("half"));
        ASSERT_TRUE((*session)->append(ids(10)));
        EXPECT_EQ(two->impl().budget.resident.name, "full");
    }

    // sessions of two sizes under a limit: both run, and the limit is the plan's
    const auto e = load(p, {.threads = 2, .memory_limit = full + 12000000});
    ASSERT_TRUE(e);
    const auto free = load(p, {.threads = 2});
    const auto logits = [&](Engine& engine) {
        const auto s = engine.new_session({.context_tokens = 300});
        EXPECT_TRUE(s);
        std::vector<float> all;
        for (const char* size : {"full", "quarter", "full"}) {
            if (size == std::string("quarter") && !(*s)->set_size("quarter")) continue;  // another cache
            const auto l = (*s)->append(ids(10));
            EXPECT_TRUE(l);
            if (l) all.insert(all.end(), l->begin(), l->end());
        }
        return all;
    };
    EXPECT_EQ(logits(*e), logits(*free));
}

}  // namespace
}  // namespace gemma3n::test
