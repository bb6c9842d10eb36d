// Plans of memory against the truth: the scratch that a step really takes, the pages that a session really holds.
#include "model/golden_case.h"
#include "runtime/plan_case.h"

namespace gemma3n::test {
namespace {

// One step of `rows`, of which the last `wanted` want logits, after `before` others.
void expect_scratch(Engine& e, int64_t before, int64_t rows, int64_t wanted) {
    const auto s = e.new_session();
    ASSERT_TRUE(s);
    if (before > 0) {
        ASSERT_TRUE((*s)->append(ids(before)));
    }
    e.release();
    std::vector<StepRow> step;
    for (int64_t i = 0; i < rows; i++) step.push_back({s->get(), static_cast<int>(i % 448), nullptr, i >= rows - wanted});
    const auto l = e.step(step);
    ASSERT_TRUE(l) << l.error().message;
    Engine::Impl& i = e.impl();
    const uint64_t planned = i.planner->scratch(*i.size, i.planner->step(rows, wanted, before + rows)), peak = i.arena.peak_bytes();
    EXPECT_LE(peak, planned) << rows << " rows, " << wanted << " wanted, after " << before;
    EXPECT_GE(static_cast<double>(peak), 0.9 * static_cast<double>(planned)) << rows << " rows, " << wanted << " wanted, after " << before;
    EXPECT_EQ(i.arena.capacity_bytes(), (planned + 63) / 64 * 64) << "in one piece";
}

TEST_F(Plan, ScratchOfAStepIsWhatItTakes) {
    for (const char* mix : {"f32", "q4_0", "q4_k_m", "q8_0"}) {
        for (const auto activations : {Activations::q8, Activations::f32}) {
            const auto e = load(path(mix), {.threads = 2, .activations = activations});
            ASSERT_TRUE(e);
            SCOPED_TRACE(std::string(mix) + (activations == Activations::f32 ? ", f32" : ", q8"));
            for (const int64_t rows : {1, 2, 16, 17, 100, 300}) {
                for (const int64_t wanted : {int64_t{0}, int64_t{1}, rows / 2, rows}) expect_scratch(*e, 0, rows, wanted);
            }
            expect_scratch(*e, 700, 1, 1);
            expect_scratch(*e, 700, 40, 1);
        }
    }
}

TEST_F(Plan, ScratchOfOtherNetworksToo) {
    for (const char* name : {"published-layout", "odd-sizes", "irregular", "gemma3-pattern"}) {
        const GoldenCase golden = GoldenCase::read(name);
        CheckpointDir dir;
        golden.write(dir);
        const auto e = load(dir.path(), {.threads = 3, .activations = Activations::f32});
        ASSERT_TRUE(e);
        for (const int64_t wanted : {0, 1, 9}) {
            const auto s = e->new_session();
            e->release();
            std::vector<StepRow> step;
            for (int64_t i = 0; i < 9; i++) step.push_back({s->get(), static_cast<int>(i), nullptr, i >= 9 - wanted});
            ASSERT_TRUE(e->step(step));
            Engine::Impl& i = e->impl();
            const uint64_t planned = i.planner->scratch(*i.size, i.planner->step(9, wanted, 9)), peak = i.arena.peak_bytes();
            EXPECT_LE(peak, planned) << name << ", " << wanted;
            EXPECT_GE(static_cast<double>(peak), 0.8 * static_cast<double>(planned)) << name << ", " << wanted;
        }
    }
}

TEST_F(Plan, ASessionHoldsNoMoreThanPlanned) {
    for (const KvType kv : {KvType::f16, KvType::q8, KvType::f32}) {
        const auto e = load(path("q4_0"), {.threads = 2, .kv = kv});
        ASSERT_TRUE(e);
        const Engine::Impl& i = e->impl();
        for (const int64_t context : {40, 600, 1500}) {
            for (const int64_t chunk : {16, 100, 512}) {
                const auto s = e->new_session({.context_tokens = context, .chunk_tokens = chunk});
                const uint64_t planned = i.planner->kv(context, chunk, runtime::kv_type(i.options));
                uint64_t most = 0;
                for (int64_t at = 0; at < context;) {
                    const int64_t n = std::min(chunk, context - at);
                    (*s)->impl().cache.prepare(n);
                    most = std::max(most, (*s)->impl().cache.bytes());
                    (*s)->impl().cache.commit(n);
                    at += n;
                }
                EXPECT_LE(most, planned) << context << " by " << chunk;
                const uint64_t plain = model::Cache::most_bytes(i.config, {.type = runtime::kv_type(i.options)}, context, chunk, false);  // nothing to be undone
                EXPECT_LE(most, plain) << context << " by " << chunk;
                EXPECT_GE(static_cast<double>(most), 0.65 * static_cast<double>(plain)) << context << " by " << chunk;
            }
        }
    }
}

TEST_F(Plan, ClassesSumUp) {
    const auto p = plan_memory(path("q4_0"), {}, {.context_tokens = 1000});
    ASSERT_TRUE(p) << p.error().message;
    uint64_t sum = 0;
    for (const MemoryClass& c : p->classes) sum += c.text ? c.bytes : 0;
    EXPECT_EQ(sum, p->text_bytes);
    EXPECT_EQ(p->peak_bytes, p->text_bytes);
    EXPECT_EQ(p->vision_bytes, 0u);
    EXPECT_EQ(p->context_tokens, 1000);
    EXPECT_EQ(p->chunk_tokens, 512);
    EXPECT_EQ(p->kv, KvType::f16);
    const auto longer = plan_memory(path("q4_0"), {}, {.context_tokens = 4000}), eight = plan_memory(path("q4_0"), {.kv = KvType::q8}, {.context_tokens = 4000});
    ASSERT_TRUE(longer && eight);
    EXPECT_GT(longer->peak_bytes, p->peak_bytes);
    EXPECT_LT(eight->peak_bytes, longer->peak_bytes);
    EXPECT_EQ(plan_memory(path("q4_0"), {}, {.context_tokens = 5000}).error().code, Code::bad_argument);
    EXPECT_EQ(plan_memory(path("q4_0"), {}, {.context_tokens = 5, .chunk_tokens = 0}).error().code, Code::bad_argument);
    EXPECT_EQ(plan_memory("/no/such/model", {}).error().code, Code::not_found);
}

TEST_F(Plan, EightBitKeysNeedHeadsOfWholeBlocks) {
    const GoldenCase golden = GoldenCase::read("odd-sizes");
    CheckpointDir dir;
    golden.write(dir);
    const auto e = Engine::load(dir.path(), {.threads = 1, .kv = KvType::q8});
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().code, Code::bad_argument);
    EXPECT_NE(e.error().message.find("expected a multiple of 32"), std::string::npos) << e.error().message;
}

}  // namespace
}  // namespace gemma3n::test
