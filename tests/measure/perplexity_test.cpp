// Perplexity over the tiny model: against a straightforward computation from logits, and against itself.
#include "measure/perplexity.h"

#include "base/temporary_file.h"
#include "runtime/tiny_engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace gemma3n::measure {
namespace {

class TinyPerplexity : public test::TinyEngine {
protected:
    const std::string text_ = [] {
        std::string s;
        for (int i = 0; i < 60; i++) s += "the cat and a hen " + std::to_string(i * 37 % 11) + " ";
        return s;
    }();

    // One step a token, log-probabilities in double precision.
    std::vector<double> straightforward(int64_t n_ctx, int64_t first, int64_t step, int64_t n_windows) const {
        const std::vector<int> ids = *engine_->tokenize(text_);
        std::vector<double> nll;
        for (int64_t w = 0; w < n_windows; w++) {
            auto s = session();
            for (int64_t i = 0; i + 1 < n_ctx; i++) {
                const int id = i == 0 ? 2 : ids[static_cast<size_t>(w * step + i)];
                const auto logits = s->append(std::span(&id, 1));
                if (!logits) throw std::runtime_error(logits.error().message);
                if (i < first) continue;
                double sum = 0;
                for (const float x : *logits) sum += std::exp(static_cast<double>(x));
                nll.push_back(std::log(sum) - (*logits)[static_cast<size_t>(ids[static_cast<size_t>(w * step + i + 1)])]);
            }
        }
        return nll;
    }

    void expect_equal(const std::vector<double>& got, const std::vector<double>& want) const {
        ASSERT_EQ(got.size(), want.size());
        for (size_t i = 0; i < want.size(); i++) EXPECT_NEAR(got[i], want[i], 2e-5) << i;
    }
};

TEST_F(TinyPerplexity, EqualsAStraightforwardComputation) {
    const auto p = perplexity(*engine_, text_, {.plan = {.n_ctx = 24, .max_windows = 4}});
    ASSERT_TRUE(p) << p.error().message;
    expect_equal(p->nll, straightforward(24, 12, 24, 4));
    ASSERT_EQ(p->window_nll.size(), 4u);
    double sum = 0;
    for (int i = 0; i < 11; i++) sum += p->nll[static_cast<size_t>(11 + i)];
    EXPECT_NEAR(p->window_nll[1], sum, 1e-12);
    EXPECT_NEAR(p->value(), std::exp(mean(p->nll).value), 1e-12);
}

TEST_F(TinyPerplexity, StridedWindowsToo) {
    const auto p = perplexity(*engine_, text_, {.plan = {.n_ctx = 24, .stride = 7, .max_windows = 3}});
    ASSERT_TRUE(p) << p.error().message;
    expect_equal(p->nll, straightforward(24, 16, 7, 3));
}

TEST_F(TinyPerplexity, AgainstItselfThereIsNoDivergence) {
    const test::TemporaryFile file;
    const WindowPlan plan{.n_ctx = 24, .max_windows = 5};
    const auto saved = perplexity(*engine_, text_, {.plan = plan, .save = file.path()});
    ASSERT_TRUE(saved) << saved.error().message;
    EXPECT_FALSE(saved->divergence);
    const auto p = perplexity(*engine_, text_, {.plan = {.n_ctx = 24, .max_windows = 4}, .against = file.path()});
    ASSERT_TRUE(p) << p.error().message;
    ASSERT_TRUE(p->divergence);
    EXPECT_NEAR(p->divergence->kl.value, 0, 2e-5);
    EXPECT_LT(p->divergence->sorted_kl.back(), 2e-4);
    EXPECT_EQ(p->divergence->same_top, 1);
    EXPECT_NEAR(p->divergence->ratio, 1, 1e-6);
    EXPECT_NEAR(p->divergence->reference_perplexity, p->value(), 1e-5 * p->value());
}

// A reference whose logits are ours with one column raised: KL, ratio and best tokens follow from the definition.
TEST_F(TinyPerplexity, DivergenceFromAnotherModel) {
    const test::TemporaryFile file;
    const WindowPlan plan{.n_ctx = 24, .max_windows = 2};
    const auto here = perplexity(*engine_, text_, {.plan = plan, .save = file.path()});
    ASSERT_TRUE(here);
    std::fstream f(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    const int64_t vocab = engine_->info().vocab, row = ((vocab + 1) / 2 * 2 + 4) * 2, rows_at = 20 + 2 * 24 * 4;
    double kl = 0, reference_nll = 0;
    const std::vector<int> ids = *engine_->tokenize(text_);
    for (int64_t r = 0; r < 22; r++) {
        const int64_t w = r / 11, position = 12 + r % 11;
        std::vector<int> past(ids.begin() + w * 24, ids.begin() + w * 24 + position + 1);
        past[0] = 2;
        const std::vector<float> q = alone(past);
        std::vector<double> p(q.begin(), q.end());
        p[5] = *std::max_element(p.begin(), p.end()) + 1;
        double zq = 0, zp = 0;
        for (int64_t i = 0; i < vocab; i++) zq += std::exp(static_cast<double>(q[static_cast<size_t>(i)])), zp += std::exp(p[static_cast<size_t>(i)]);
        zq = std::log(zq), zp = std::log(zp);
        std::vector<uint16_t> cells(static_cast<size_t>(row / 2));
        const float head[2] = {32.0f / 65535, -32};
        memcpy(cells.data(), head, 8);
        for (int64_t i = 0; i < vocab; i++) {
            const double log_p = p[static_cast<size_t>(i)] - zp;
            cells[static_cast<size_t>(4 + i)] = static_cast<uint16_t>(std::lround((std::max(log_p, -32.0) + 32) * 65535 / 32));
            if (log_p > -16) kl += std::exp(log_p) * (log_p - (q[static_cast<size_t>(i)] - zq)) / 22;
        }
        reference_nll -= (p[static_cast<size_t>(ids[static_cast<size_t>(w * 24 + position + 1)])] - zp) / 22;
        f.seekp(rows_at + r * row);
        f.write(reinterpret_cast<const char*>(cells.data()), row);
    }
    f.close();
    std::filesystem::resize_file(file.path(), static_cast<uint64_t>(rows_at + 22 * row));  // without the log-likelihoods of the model that was saved
    const auto d = perplexity(*engine_, text_, {.plan = plan, .against = file.path()});
    ASSERT_TRUE(d) << d.error().message;
    EXPECT_GT(kl, 0.05);
    EXPECT_NEAR(d->divergence->kl.value, kl, 1e-3 * kl);
    EXPECT_NEAR(d->divergence->reference_perplexity, std::exp(reference_nll), 1e-3 * std::exp(reference_nll));
    EXPECT_NEAR(d->divergence->ratio, std::exp(here->log().value - reference_nll), 1e-3);
    EXPECT_LT(d->divergence->same_top, 0.5);
}

TEST_F(TinyPerplexity, ReferencesOfSomethingElse) {
    const test::TemporaryFile file;
    ASSERT_TRUE(perplexity(*engine_, text_, {.plan = {.n_ctx = 24, .max_windows = 2}, .save = file.path()}));
    const auto says = [&](const std::string& text, WindowPlan plan) {
        const auto p = perplexity(*engine_, text, {.plan = plan, .against = file.path()});
        return p ? "nothing" : p.error().message.substr(file.path().size());
    };
    EXPECT_EQ(says(text_, {.n_ctx = 16}), ": has windows of 24 tokens, this run of 16: expected the same");
    EXPECT_EQ(says(text_, {.n_ctx = 24, .max_windows = 3}), ": has 2 windows, this run 3: expected as many or more");
    std::string other = text_;
    other[2] = 'x';
    EXPECT_NE(says(other, {.n_ctx = 24, .max_windows = 2}).find("is another than this text's"), std::string::npos);
}

TEST_F(TinyPerplexity, ProgressRunsAndCancels) {
    std::vector<size_t> seen;
    const auto p = perplexity(*engine_, text_, {.plan = {.n_ctx = 24}, .progress = [&](const Perplexity& so_far) {
                                  seen.push_back(so_far.window_nll.size());
                                  return seen.size() < 3;
                              }});
    ASSERT_FALSE(p);
    EXPECT_EQ(p.error().code, Code::cancelled);
    EXPECT_EQ(seen, (std::vector<size_t>{1, 2, 3}));
}

}  // namespace
}  // namespace gemma3n::measure
