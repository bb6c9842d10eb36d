// A row's result depends on its sequence alone: not on how many rows ride along in a step (up to 16), not on the number of threads,
// not on who else's rows are in it, not on forks, and not on a tail that was rolled back. Bit for bit, on the golden models of every
// feature and, where the file is at hand, on real quantised weights.
#include "gemma3n/engine.h"
#include "kernels/table.h"
#include "model/golden_case.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>

namespace gemma3n::test {
namespace {

struct Subject {
    std::string name;  // a golden case, a mix of types for the synthetic network, or gemma3_270m
    Activations activations;
    std::string kernels;
    KvType kv = KvType::automatic;

    std::string id() const {
        std::string s = name + (activations == Activations::f32 ? "_f32_" : "_q8_") + (kv == KvType::q8 ? "kv_q8_" : "") + kernels;
        std::replace(s.begin(), s.end(), '-', '_');
        return s;
    }
    friend void PrintTo(const Subject& s, std::ostream* out) { *out << s.id(); }
};

std::string real_model() {
    const char *cache = std::getenv("GEMMA3N_CACHE"), *home = std::getenv("HOME");
    const std::string path = (cache ? std::string(cache) : std::string(home ? home : "") + "/.cache/gemma3n") + "/gemma3-270m-q4_k_m.gguf";
    return std::filesystem::exists(path) ? path : "";
}

using Logits = std::vector<std::vector<float>>;  // by position

class Invariance : public testing::TestWithParam<Subject> {
protected:
    void SetUp() override {
        for (const kernels::Entry& e : kernels::all())
            if (e.table->name == GetParam().kernels && !e.supported) GTEST_SKIP() << "kernels '" << GetParam().kernels << "' cannot run on this CPU";
        if (GetParam().name == "gemma3_270m") {
            path_ = real_model();
            if (path_.empty()) GTEST_SKIP() << "the 270M file is not here (tools/fetch_270m.sh fetches it)";
            for (int i = 0; i < 60; i++) ids_.push_back((i * 7919 + 2) % 262144);
        } else if (const auto mix = format::mix_from_name(GetParam().name)) {  // a small network of every feature, quantised
            path_ = dir_.emplace().path() + "/tiny.gguf";
            const Status written = synth::write_gguf(*synth::find_shape("tiny"), *mix, path_, {});
            ASSERT_TRUE(written) << written.error().message;
            for (int i = 0; i < 80; i++) ids_.push_back((i * 79 + 2) % 448);
        } else {
            const GoldenCase golden = GoldenCase::read(GetParam().name);
            golden.write(dir_.emplace());
            path_ = dir_->path();
            ids_ = golden.ids;
        }
        engine_ = load(1);
    }

    std::shared_ptr<Engine> load(int threads) {
        auto e = Engine::load(path_, {.threads = threads, .kernels = GetParam().kernels, .activations = GetParam().activations, .kv = GetParam().kv});
        if (!e) throw std::runtime_error(e.error().message);
        return *e;
    }
    static std::unique_ptr<Session> session(Engine& e) {
        auto s = e.new_session();
        if (!s) throw std::runtime_error(s.error().message);
        return std::move(*s);
    }
    static void take(const StepLogits& l, int64_t row, std::vector<float>& out) {
        const auto r = l.row(row);
        out.assign(r.begin(), r.end());
    }
    // ids of one session in steps of so many rows as `next()` says, logits of all.
    template <class Next>
    static Logits run_in(Engine& e, Session& s, std::span<const int> ids, Next&& next) {
        Logits out(ids.size());
        for (size_t at = 0; at < ids.size();) {
            const size_t n = std::min<size_t>(next(), ids.size() - at);
            std::vector<StepRow> rows;
            for (size_t i = 0; i < n; i++) rows.push_back({&s, ids[at + i], nullptr, true});
            const auto l = e.step(rows);
            if (!l) throw std::runtime_error(l.error().message);
            for (size_t i = 0; i < n; i++) take(*l, static_cast<int64_t>(i), out[at + i]);
            at += n;
        }
        return out;
    }
    static Logits run(Engine& e, Session& s, std::span<const int> ids, size_t chunk) {
        return run_in(e, s, ids, [&] { return chunk; });
    }
    const Logits& alone() {  // token by token, one thread; the same for all tests of a subject
        static std::map<std::string, Logits> known;
        Logits& logits = known[GetParam().id()];
        if (logits.empty()) logits = run(*engine_, *session(*engine_), ids_, 1);
        return logits;
    }
    static bool same(const std::vector<float>& a, const std::vector<float>& b) {
        return a.size() == b.size() && memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    }
    void expect_alone(const Logits& got, size_t from, const std::string& what) {
        for (size_t i = 0; i < got.size(); i++) ASSERT_TRUE(same(got[i], alone()[from + i])) << what << ", position " << from + i;
    }

    std::optional<CheckpointDir> dir_;
    std::string path_;
    std::vector<int> ids_;
    std::shared_ptr<Engine> engine_;
};

// Every size from 1 to 16 rows, growing in one run and shrinking in the other, so that a position is met in different steps.
TEST_P(Invariance, RowsInAStepAndThreads) {
    for (const int threads : {1, 2}) {
        const auto e = load(threads);
        size_t step = 0;
        expect_alone(run_in(*e, *session(*e), ids_, [&] { return 1 + step++ % 16; }), 0, "growing steps, " + std::to_string(threads) + " threads");
        step = 0;
        expect_alone(run_in(*e, *session(*e), ids_, [&] { return 16 - step++ % 16; }), 0, "shrinking steps, " + std::to_string(threads) + " threads");
        expect_alone(run(*e, *session(*e), ids_, 16), 0, "16 rows, " + std::to_string(threads) + " threads");
    }
}

TEST_P(Invariance, WhoseLogitsAreWanted) {
    for (const size_t chunk : {4, 16}) {
        const auto s = session(*engine_);
        for (size_t at = 0; at < ids_.size(); at += chunk) {
            const size_t n = std::min(chunk, ids_.size() - at);
            std::vector<StepRow> rows;
            for (size_t i = 0; i < n; i++) rows.push_back({s.get(), ids_[at + i], nullptr, i % 3 == 0});
            const auto l = engine_->step(rows);
            ASSERT_TRUE(l) << l.error().message;
            ASSERT_EQ(l->n, static_cast<int64_t>((n + 2) / 3));
            for (size_t i = 0; i < n; i += 3) {
                std::vector<float> got;
                take(*l, static_cast<int64_t>(i / 3), got);
                ASSERT_TRUE(same(got, alone()[at + i])) << chunk << " rows, position " << at + i;
            }
        }
    }
}

TEST_P(Invariance, TwoSequencesInOneStep) {
    const auto e = load(2);
    std::vector<int> other(ids_.rbegin(), ids_.rend());
    const Logits other_alone = run(*e, *session(*e), other, 1);
    const auto a = session(*e), b = session(*e);
    size_t at_a = 0, at_b = 0, step = 0;
    while (at_a < ids_.size() || at_b < other.size()) {
        const size_t n_a = std::min<size_t>(1 + step % 9, ids_.size() - at_a), n_b = std::min<size_t>(7 - step % 5, other.size() - at_b);
        step++;
        std::vector<StepRow> rows;
        for (size_t i = 0; i < n_a; i++) rows.push_back({a.get(), ids_[at_a + i], nullptr, true});
        for (size_t i = 0; i < n_b; i++) rows.push_back({b.get(), other[at_b + i], nullptr, true});
        const auto l = e->step(rows);
        ASSERT_TRUE(l) << l.error().message;
        std::vector<float> got;
        for (size_t i = 0; i < n_a; i++) {
            take(*l, static_cast<int64_t>(i), got);
            ASSERT_TRUE(same(got, alone()[at_a + i])) << "first sequence, position " << at_a + i;
        }
        for (size_t i = 0; i < n_b; i++) {
            take(*l, static_cast<int64_t>(n_a + i), got);
            ASSERT_TRUE(same(got, other_alone[at_b + i])) << "second sequence, position " << at_b + i;
        }
        at_a += n_a;
        at_b += n_b;
    }
}

TEST_P(Invariance, ForkGoesOnAsIfItWereThePlainRun) {
    const std::span<const int> ids(ids_);
    const size_t half = ids_.size() / 2;
    const auto plain = session(*engine_);
    run(*engine_, *plain, ids.first(half), 5);
    auto forked = plain->fork();
    ASSERT_TRUE(forked) << forked.error().message;
    // the parent takes another way first, over pages that both hold
    const std::vector<int> elsewhere(ids_.rbegin(), ids_.rbegin() + 9);
    run(*engine_, *plain, elsewhere, 3);
    expect_alone(run(*engine_, **forked, ids.subspan(half), 4), half, "fork");
    EXPECT_EQ((*forked)->n_tokens(), static_cast<int64_t>(ids_.size()));
    EXPECT_EQ(plain->n_tokens(), static_cast<int64_t>(half + 9));
}

TEST_P(Invariance, RollbackLeavesNothingBehind) {
    const std::span<const int> ids(ids_);
    const auto s = session(*engine_);
    size_t at = 0;
    for (const size_t ahead : {1, 6, 16}) {
        const size_t next = std::min(at + ids_.size() / 4, ids_.size());
        expect_alone(run(*engine_, *s, ids.subspan(at, next - at), 6), at, "before a rollback");
        at = next;
        run(*engine_, *s, std::vector<int>(ahead, 9), 16);
        const Status back = s->rollback(static_cast<int64_t>(at));
        ASSERT_TRUE(back) << back.error().message;
        ASSERT_EQ(s->n_tokens(), static_cast<int64_t>(at));
    }
    expect_alone(run(*engine_, *s, ids.subspan(at), 4), at, "after rollbacks");
}

// Beyond 16 rows other tiles compute the products: equal to rounding. In 8 bit a rounding error tips some activation to the next of its
// 255 values, that error tips more of them in the layer above, and soon both runs are two draws of the same rounding noise: they may be
// apart by sqrt(2) times what one of them is from the exact path.
TEST_P(Invariance, LargerStepsAgreeToRounding) {
    const auto apart = [](const Logits& a, const Logits& b) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < a.size(); i++)
            for (size_t j = 0; j < a[i].size(); j++, n++) sum += std::pow(static_cast<double>(a[i][j]) - b[i][j], 2);
        return std::sqrt(sum / n);
    };
    const Logits zero(ids_.size(), std::vector<float>(alone()[0].size()));
    double bound = 1e-5 * apart(alone(), zero);
    if (GetParam().activations == Activations::q8) {
        const auto e = Engine::load(path_, {.threads = 2, .kernels = GetParam().kernels, .activations = Activations::f32, .kv = GetParam().kv});
        ASSERT_TRUE(e) << e.error().message;
        bound = std::sqrt(2.0) * apart(alone(), run(**e, *session(**e), ids_, 1000));
    }
    for (const size_t chunk : {17, 31, 48, 1000}) {
        const double d = apart(alone(), run(*engine_, *session(*engine_), ids_, chunk));
        EXPECT_LE(d, bound) << "steps of " << chunk << " rows";
    }
}

std::vector<Subject> subjects() {
    std::vector<Subject> out;
    for (const kernels::Entry& e : kernels::all()) {
        const std::string table = e.table->name;
        if (table == "reference") {  // slow, and plain
            out.push_back({"irregular", Activations::f32, table});
            out.push_back({"q4_k_m", Activations::q8, table});
            out.push_back({"q4_0", Activations::q8, table, KvType::q8});
            continue;
        }
        for (const char* name : {"published-layout", "odd-sizes", "irregular", "published-files", "gemma3-pattern"}) out.push_back({name, Activations::f32, table});
        for (const char* name : {"published-layout", "published-files", "q4_0", "q4_k_m", "q8_0"}) out.push_back({name, Activations::q8, table});
        out.push_back({"q4_k_m", Activations::f32, table});
        out.push_back({"gemma3_270m", Activations::q8, table});
        for (const char* name : {"q4_0", "gemma3_270m"}) out.push_back({name, Activations::q8, table, KvType::q8});
    }
    return out;
}

INSTANTIATE_TEST_SUITE_P(Subjects, Invariance, testing::ValuesIn(subjects()), [](const auto& p) { return p.param.id(); });

}  // namespace
}  // namespace gemma3n::test
