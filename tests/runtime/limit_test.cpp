// What a limit lets in, that the engine keeps to it, and that every way out which a refusal names is one.
#include "runtime/plan_case.h"

namespace gemma3n::test {
namespace {

TEST_F(Plan, UnderALimitSomethingFitsOrAWayOutIsNamed) {
    int refused = 0, answered = 0, smaller = 0;
    for (uint64_t limit = 20000000; limit <= 60000000; limit += 1000000) {
        for (const int64_t context : {0, 700, 4096}) {
            const EngineOptions o{.threads = 2, .memory_limit = limit};
            const MemoryNeeds needs{.context_tokens = context};
            const auto p = plan_memory(path("q4_0"), o, needs);
            if (p) {
                answered++;
                EXPECT_LE(p->peak_bytes, limit);
                EXPECT_EQ(p->limit, limit);
                if (context > 0) {
                    EXPECT_EQ(p->context_tokens, context);
                }
                smaller += p->chunk_tokens < 512 || p->context_tokens < (context > 0 ? context : 4096);
            } else {
                refused++;
                EXPECT_EQ(p.error().code, Code::over_budget);
                expect_way_out(path("q4_0"), o, needs, p.error().message);
            }
        }
    }
    EXPECT_GT(refused, 5);
    EXPECT_GT(answered, 5);
    EXPECT_GT(smaller, 2) << "smaller steps or contexts were chosen";
}

// A limited engine gives the answers of one without a limit: in smaller steps of the same order of sums where these have 16 rows at most.
TEST_F(Plan, AnEngineUnderALimitChoosesAndKeepsTo) {
    const std::string p = path("f32");
    const auto free = plan_memory(p, {.threads = 2}, {.context_tokens = 1024});
    ASSERT_TRUE(free);
    const uint64_t limit = free->peak_bytes - 2000000;
    const auto e = load(p, {.threads = 2, .memory_limit = limit});
    ASSERT_TRUE(e);
    const auto s = e->new_session({.context_tokens = 1024});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_LT((*s)->impl().options.chunk_tokens, 512);
    EXPECT_GE((*s)->impl().options.chunk_tokens, 16);
    ASSERT_TRUE((*s)->append(ids(900)));
    Engine::Impl& i = e->impl();
    EXPECT_LE(i.planner->idle() + i.planner->requests() + i.planner->weights(*i.size) + (*s)->impl().cache.bytes() + i.arena.capacity_bytes(), limit);

    // a caller's own step that is too large is refused, and the rows that fit do
    std::vector<StepRow> rows;
    const auto other = e->new_session({.context_tokens = 64});
    ASSERT_TRUE(other) << other.error().message;
    const int64_t most = e->rows_that_fit(10000, true, 10000);
    EXPECT_LT(most, 10000);
    for (int64_t r = 0; r < 64; r++) rows.push_back({other->get(), 5, nullptr, true});
    EXPECT_EQ(static_cast<bool>(e->step(rows)), e->rows_that_fit(64, true, 64) == 64);

    // sessions are let in with what they may come to hold, until they end
    std::vector<std::unique_ptr<Session>> more;
    for (int n = 0; n < 1000; n++) {
        auto next = e->new_session({.context_tokens = 1024});
        if (!next) {
            EXPECT_EQ(next.error().code, Code::over_budget);
            break;
        }
        more.push_back(std::move(*next));
    }
    EXPECT_LT(more.size(), 100u);
    EXPECT_EQ((*s)->fork().error().code, Code::over_budget);
    more.clear();
    EXPECT_TRUE((*s)->append(std::vector<int>{1})) << "with steps that have become smaller, it goes on";
}

}  // namespace
}  // namespace gemma3n::test
