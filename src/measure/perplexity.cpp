#include "measure/perplexity.h"

#include "base/result.h"
#include "measure/exp.h"
#include "measure/log_prob.h"
#include "measure/reference_run.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::measure {

double Perplexity::value() const { return std::exp(log().value); }
double Perplexity::error() const { return log().error * value(); }

namespace {

constexpr int64_t logits_bytes = 64 << 20;   // of one step
constexpr int64_t prefill_rows = 512;
constexpr float negligible = -16;            // reference log-probabilities below it are left out of KL, as llama.cpp does

// One position's KL(reference || model): the sum of p (log p - log q) over p that are not negligible.
double divergence(const ReferenceReader::Row& reference, std::span<const float> logits, double log_sum_exp) {
    constexpr size_t lanes = 16, run = 4096;  // float sums of a run, double sums of runs
    const float z = static_cast<float>(log_sum_exp);
    const auto term = [&](size_t i) {
        const float log_p = reference.log_prob(i), p = exp_not_positive(log_p < 0 ? log_p : 0);
        return log_p > negligible ? p * (log_p - (logits[i] - z)) : 0;
    };
    double sum = 0;
    for (size_t at = 0; at < logits.size(); at += run) {
        const size_t end = std::min(at + run, logits.size());
        float partial[lanes] = {};
        size_t i = at;
        for (; i + lanes <= end; i += lanes)
            for (size_t j = 0; j < lanes; j++) partial[j] += term(i + j);
        for (; i < end; i++) partial[0] += term(i);
        for (const float x : partial) sum += x;
    }
    return sum;
}

class Run {
public:
    Run(Engine& e, const PerplexityOptions& o) : engine_(e), o_(o) {}

    Result<Perplexity> operator()(const std::string& text) {
        ASSIGN(ids_, engine_.tokenize(text));
        p_.n_tokens = static_cast<int64_t>(ids_.size());
        ASSIGN(windows_, cut_windows(p_.n_tokens, o_.plan, o_.name));
        p_.n_windows = static_cast<int64_t>(windows_.size());
        ASSIGN(session_, engine_.new_session({.context_tokens = o_.plan.n_ctx}));
        TRY(open_references());
        for (size_t i = 0; i < windows_.size(); i++) {
            TRY(window(windows_[i]));
            if (o_.progress && !o_.progress(p_)) return fail(Code::cancelled, "the perplexity was cancelled after %zu of %zu windows", i + 1, windows_.size());
        }
        if (writer_) TRY(writer_->close());
        if (reader_) p_.divergence = compared();
        return std::move(p_);
    }

private:
    Status open_references() {
        if ((!o_.save.empty() || !o_.against.empty()) && o_.plan.stride > 0) {
            return fail(Code::bad_argument, "a reference run over windows with a stride: expected windows that do not overlap");
        }
        const std::vector<int> used(ids_.begin(), ids_.begin() + p_.n_windows * o_.plan.n_ctx * (o_.plan.stride == 0));
        if (!o_.against.empty()) {
            reader_.emplace();
            TRY(reader_->open(o_.against));
            TRY(fits(reader_->header(), used));
        }
        if (!o_.save.empty()) {
            writer_.emplace();
            TRY(writer_->open(o_.save, {o_.plan.n_ctx, engine_.info().vocab, p_.n_windows, used}));
        }
        return {};
    }

    Status fits(const ReferenceHeader& h, const std::vector<int>& used) const {
        const auto ll = [](int64_t v) { return static_cast<long long>(v); };
        if (h.vocab != engine_.info().vocab) return fail(Code::bad_file, "%s: has a vocabulary of %lld, the model one of %lld: expected a reference run of a model with the same vocabulary", o_.against.c_str(), ll(h.vocab), ll(engine_.info().vocab));
        if (h.n_ctx != o_.plan.n_ctx) return fail(Code::bad_file, "%s: has windows of %lld tokens, this run of %lld: expected the same", o_.against.c_str(), ll(h.n_ctx), ll(o_.plan.n_ctx));
        if (h.n_windows < p_.n_windows) return fail(Code::bad_file, "%s: has %lld windows, this run %lld: expected as many or more", o_.against.c_str(), ll(h.n_windows), ll(p_.n_windows));
        const auto differs = std::mismatch(used.begin(), used.end(), h.ids.begin()).first;
        if (differs != used.end()) return fail(Code::bad_file, "%s: its token %lld is another than this text's: expected a reference run over the same text", o_.against.c_str(), ll(differs - used.begin()));
        return {};
    }

    Status window(const Window& w) {
        session_->clear();
        const int64_t vocab = engine_.info().vocab, last = o_.plan.n_ctx - 1;
        const int64_t piece = engine_.rows_that_fit(std::clamp<int64_t>(logits_bytes / (vocab * 4), 1, prefill_rows), true, o_.plan.n_ctx);
        const int64_t unscored = engine_.rows_that_fit(prefill_rows, false, o_.plan.n_ctx);
        p_.window_nll.push_back(0);
        for (int64_t at = 0; at < last;) {
            const bool scored = at >= w.first;
            const int64_t end = scored ? std::min(at + piece, last) : std::min(at + unscored, w.first);
            std::vector<StepRow> rows;
            for (int64_t i = at; i < end; i++) rows.push_back({session_.get(), i == 0 ? engine_.info().bos : ids_[static_cast<size_t>(w.begin + i)], nullptr, scored});
            ASSIGN(const StepLogits logits, engine_.step(rows));
            for (int64_t i = at; scored && i < end; i++) TRY(score(logits.row(i - at), ids_[static_cast<size_t>(w.begin + i + 1)]));
            at = end;
        }
        return {};
    }

    Status score(std::span<const float> logits, int target) {
        const RowSummary s = summarise(logits);
        const double nll = s.log_sum_exp - logits[static_cast<size_t>(target)];
        if (!std::isfinite(nll)) return fail(Code::bad_file, "%s: gives logits that are not finite in window %zu", engine_.info().path.c_str(), p_.window_nll.size());
        p_.nll.push_back(nll);
        p_.window_nll.back() += nll;
        if (reader_) {
            ASSIGN(const ReferenceReader::Row r, reader_->next());
            kl_.push_back(divergence(r, logits, s.log_sum_exp));
            reference_nll_.push_back(reader_->nll(r, target));
            // 16 bit cannot tell near neighbours apart: whatever shares the highest code is a best token
            same_top_ += r.codes[static_cast<size_t>(s.best)] == *std::max_element(r.codes.begin(), r.codes.end());
        }
        if (writer_) TRY(writer_->add(logits, s, nll));
        return {};
    }

    Divergence compared() {
        Divergence d;
        d.kl = mean(kl_);
        d.sorted_kl = kl_;
        std::sort(d.sorted_kl.begin(), d.sorted_kl.end());
        d.same_top = kl_.empty() ? 0 : static_cast<double>(same_top_) / static_cast<double>(kl_.size());
        d.reference_perplexity = std::exp(mean(reference_nll_).value);
        std::vector<double> difference(kl_.size());
        for (size_t i = 0; i < kl_.size(); i++) difference[i] = p_.nll[i] - reference_nll_[i];
        const Mean m = mean(difference);
        d.ratio = std::exp(m.value);
        d.ratio_error = d.ratio * m.error;
        return d;
    }

    Engine& engine_;
    const PerplexityOptions& o_;
    std::vector<int> ids_;
    std::vector<Window> windows_;
    std::unique_ptr<Session> session_;
    std::optional<ReferenceReader> reader_;
    std::optional<ReferenceWriter> writer_;
    std::vector<double> kl_, reference_nll_;
    int64_t same_top_ = 0;
    Perplexity p_;
};

}  // namespace

Result<Perplexity> perplexity(Engine& engine, const std::string& text, const PerplexityOptions& options) { return Run(engine, options)(text); }

}  // namespace gemma3n::measure
