#include "measure/bench.h"

#include "base/cpu.h"
#include "base/result.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace gemma3n::measure {

namespace {

class Runner {
public:
    Runner(Engine& e, const BenchPlan& p, const std::function<bool(double)>& progress)
        : engine_(e), progress_(progress), parts_(2.0 * (p.repeats + 2) * std::max(1.0, static_cast<double>(p.sizes.size()))), prompt_(spread_ids(p.prompt, e.info().vocab, p.seed)),
          next_(spread_ids(p.decode, e.info().vocab, p.seed + 1)) {}

    Status open() {
        ASSIGN(session_, engine_.new_session({.context_tokens = static_cast<int64_t>(prompt_.size() + next_.size())}));
        return {};
    }

    const Slice& size() const { return session_->size(); }

    // The prompt into an empty session; seconds.
    Result<double> prefill(const Slice& size) {
        session_->clear();
        TRY(session_->set_size(size));
        return timed([&]() -> Status { return append(prompt_); });
    }
    // The ids after it, one by one.
    Result<double> decode() {
        return timed([&]() -> Status {
            for (const int id : next_) TRY(append(std::span(&id, 1)));
            return {};
        });
    }

private:
    template <class F>
    Result<double> timed(F&& f) {
        if (progress_ && !progress_(done_++ / parts_)) return fail(Code::cancelled, "the benchmark was cancelled");
        const auto start = std::chrono::steady_clock::now();
        TRY(f());
        const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        for (const float x : last_) {
            if (!std::isfinite(x)) return fail(Code::bad_file, "%s: gives logits that are not finite: there is nothing to time", engine_.info().path.c_str());
        }
        return s;
    }
    Status append(std::span<const int> ids) {
        ASSIGN(last_, session_->append(ids));
        return {};
    }

    Engine& engine_;
    const std::function<bool(double)>& progress_;
    double parts_, done_ = 0;
    std::vector<int> prompt_, next_;
    std::unique_ptr<Session> session_;
    std::span<const float> last_;  // logits
};

// One more run of a phase with a clock around each step.
Status profile(Engine& engine, PhaseTimes& phase, const std::function<Result<double>()>& run) {
    Result<double> seconds = 0.0;
    phase.steps = engine.time_steps([&] { seconds = run(); });
    ASSIGN(phase.wall_s, seconds);
    std::erase_if(phase.steps, [](const StepTime& t) { return t.calls == 0; });
    std::sort(phase.steps.begin(), phase.steps.end(), [](const StepTime& a, const StepTime& b) { return a.seconds > b.seconds; });
    return {};
}

// Of runs in the order in which they were made.
double middle_ratio(const PhaseTimes& p, const PhaseTimes& other) {
    std::vector<double> ratios;
    for (size_t i = 0; i < p.tokens_per_s.size(); i++) ratios.push_back(p.tokens_per_s[i] / other.tokens_per_s[i]);
    std::sort(ratios.begin(), ratios.end());
    const size_t n = ratios.size();
    return n % 2 == 1 ? ratios[n / 2] : (ratios[n / 2 - 1] + ratios[n / 2]) / 2;
}

}  // namespace

std::vector<int> spread_ids(int64_t n, int64_t vocab, uint64_t seed) {
    std::vector<int> ids(static_cast<size_t>(n));
    for (int& id : ids) {  // splitmix64
        uint64_t z = seed += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        id = static_cast<int>((z ^ (z >> 31)) % static_cast<uint64_t>(vocab));
    }
    return ids;
}

Result<Bench> bench(Engine& engine, const BenchPlan& plan, const std::function<bool(double)>& progress) {
    Runner run(engine, plan, progress);
    TRY(run.open());
    Bench b;
    std::vector<Slice> sizes;
    for (const std::string& name : plan.sizes) {
        ASSIGN(Slice size, engine.find_size(name));
        sizes.push_back(std::move(size));
    }
    if (sizes.empty()) sizes.push_back(run.size());
    for (const Slice& size : sizes) {
        ASSIGN(SizeInfo info, engine.size_info(size));
        b.sizes.push_back({std::move(info), {}, {}});
    }
    // the first run checks the results and brings the weights into memory: it is not counted
    for (int i = -1; i < plan.repeats; i++) {
        for (size_t k = 0; k < b.sizes.size(); k++) {
            SizeBench& s = b.sizes[i % 2 == 0 ? k : b.sizes.size() - 1 - k];  // there and back
            ASSIGN(const double prefill_s, run.prefill(s.size.slice));
            ASSIGN(const double decode_s, run.decode());
            if (i < 0) continue;
            s.prefill.tokens_per_s.push_back(static_cast<double>(plan.prompt) / prefill_s);
            s.decode.tokens_per_s.push_back(static_cast<double>(plan.decode) / decode_s);
        }
    }
    for (SizeBench& s : b.sizes) {
        s.prefill_speedup = middle_ratio(s.prefill, b.sizes[0].prefill);
        s.decode_speedup = middle_ratio(s.decode, b.sizes[0].decode);
    }
    for (SizeBench& s : b.sizes) {
        for (PhaseTimes* p : {&s.prefill, &s.decode}) std::sort(p->tokens_per_s.begin(), p->tokens_per_s.end());
        TRY(profile(engine, s.prefill, [&] { return run.prefill(s.size.slice); }));
        TRY(profile(engine, s.decode, [&] { return run.decode(); }));
    }
    b.peak_rss_bytes = peak_resident_bytes();
    return b;
}

}  // namespace gemma3n::measure
