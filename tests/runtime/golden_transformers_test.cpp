// Tiny models of every feature against what transformers said of the same weights (tools/oracle/make_goldens.py wrote it down): all
// logits within 2e-4 of the largest, 64 greedy tokens the same, whatever the chunks of the prefill, on every kernel table.
#include "gemma3n/engine.h"
#include "kernels/table.h"
#include "model/golden_case.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemma3n::test {
namespace {

constexpr double tolerance = 2e-4;  // of the largest logit; transformers differs from itself (eager, sdpa) by 1e-6 to 1e-5

double max_abs(std::span<const float> v) {
    double m = 0;
    for (const float x : v) m = std::max<double>(m, std::fabs(x));
    return m;
}

double max_difference(std::span<const float> a, std::span<const float> b) {
    double m = a.size() == b.size() ? 0 : INFINITY;
    for (size_t i = 0; i < a.size() && i < b.size(); i++) {
        const double d = std::fabs(static_cast<double>(a[i]) - b[i]);
        m = d <= m ? m : d;  // a NaN stays
    }
    return m;
}

class GoldenTransformers : public testing::TestWithParam<std::tuple<std::string, std::string>> {
protected:
    void SetUp() override {
        const auto& [name, kernels] = GetParam();
        for (const kernels::Entry& e : kernels::all())
            if (e.table->name == kernels && !e.supported) GTEST_SKIP() << "kernels '" << kernels << "' cannot run on this CPU";
        golden_ = GoldenCase::read(name);
        golden_.write(dir_);
        auto engine = Engine::load(dir_.path(), {.threads = 2, .kernels = kernels, .activations = Activations::f32});
        ASSERT_TRUE(engine) << engine.error().message;
        engine_ = *engine;
        scale_ = max_abs(golden_.logits);
    }
    std::span<const float> expected(size_t position) const {
        return {golden_.logits.data() + position * golden_.vocab(), static_cast<size_t>(golden_.vocab())};
    }

    CheckpointDir dir_;
    GoldenCase golden_;
    std::shared_ptr<Engine> engine_;
    double scale_ = 0;
};

TEST_P(GoldenTransformers, LogitsOfEveryPosition) {
    for (const size_t chunk : {golden_.ids.size(), size_t{16}, size_t{3}, size_t{1}}) {
        auto session = engine_->new_session();
        ASSERT_TRUE(session);
        for (size_t at = 0; at < golden_.ids.size(); at += chunk) {
            std::vector<StepRow> rows;
            for (size_t i = at; i < std::min(at + chunk, golden_.ids.size()); i++) rows.push_back({session->get(), golden_.ids[i], nullptr, true});
            const auto logits = engine_->step(rows);
            ASSERT_TRUE(logits) << logits.error().message;
            ASSERT_EQ(logits->vocab, golden_.vocab());
            for (size_t i = 0; i < rows.size(); i++) {
                ASSERT_LE(max_difference(logits->row(static_cast<int64_t>(i)), expected(at + i)), tolerance * scale_)
                    << "position " << at + i << " in chunks of " << chunk;
            }
        }
    }
}

// Rows whose logits nobody asks for stop early; the last one must not notice.
TEST_P(GoldenTransformers, LastLogitsOfAPrefill) {
    for (const int64_t chunk : {1, 3, 16, 512}) {
        auto session = engine_->new_session({.chunk_tokens = chunk});
        ASSERT_TRUE(session);
        const auto logits = (*session)->append(golden_.ids);
        ASSERT_TRUE(logits) << logits.error().message;
        EXPECT_LE(max_difference(*logits, expected(golden_.ids.size() - 1)), tolerance * scale_) << "chunk " << chunk;
    }
}

TEST_P(GoldenTransformers, GreedyTokens) {
    GenerateOptions greedy;
    greedy.sampling.temperature = 0;
    greedy.max_tokens = static_cast<int64_t>(golden_.greedy.size());
    greedy.stop_at_eos = false;
    for (const int64_t chunk : {1, 3, 16, 512}) {
        auto session = engine_->new_session({.chunk_tokens = chunk});
        ASSERT_TRUE(session);
        const auto answer = (*session)->generate(golden_.ids, greedy);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(answer->ids, golden_.greedy) << "chunk " << chunk;
    }
}

std::vector<std::string> table_names() {
    std::vector<std::string> names;
    for (const kernels::Entry& e : kernels::all()) names.emplace_back(e.table->name);
    return names;
}

TEST(GoldenCases, AreThere) { EXPECT_GE(GoldenCase::names().size(), 10u); }

INSTANTIATE_TEST_SUITE_P(Cases, GoldenTransformers, testing::Combine(testing::ValuesIn(GoldenCase::names()), testing::ValuesIn(table_names())),
                         [](const auto& p) {
                             std::string name = std::get<0>(p.param) + "_" + std::get<1>(p.param);
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

}  // namespace
}  // namespace gemma3n::test
