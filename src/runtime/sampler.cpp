#include "runtime/sampler.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::runtime {

std::vector<bool> masked_ids(const model::Config& config) {
    constexpr int64_t text_vocab = 262144, full_vocab = 262400;
    std::vector<bool> masked;
    if (config.family != model::Family::gemma3n || config.per_layer_vocab != text_vocab) return masked;
    if (config.vocab != text_vocab && config.vocab != full_vocab) return masked;
    masked.assign(static_cast<size_t>(config.vocab), false);
    masked[0] = masked[255999] = masked[256000] = true;  // <pad>, <start_of_image>, <start_of_audio>
    for (int64_t id = text_vocab; id < config.vocab; id++) masked[id] = true;
    return masked;
}

Sampler::Sampler(const SamplingOptions& options, float softcap, const std::vector<bool>& masked)
    : o_(options), softcap_(softcap), masked_(masked), state_(options.seed) {}

double Sampler::uniform() {  // splitmix64
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return static_cast<double>((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

void Sampler::collect(std::span<const float> logits) {
    const auto better = [](const Candidate& a, const Candidate& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; };
    const size_t keep = o_.top_k > 0 ? static_cast<size_t>(o_.top_k) : logits.size();
    candidates_.clear();
    float worst = -INFINITY;  // of a full heap: most logits fail this one comparison
    for (size_t i = 0; i < logits.size(); i++) {
        if (!(logits[i] > worst) || (!masked_.empty() && masked_[i])) continue;
        const Candidate candidate{static_cast<int>(i), logits[i]};
        if (candidates_.size() < keep) {
            candidates_.push_back(candidate);
            if (candidates_.size() < keep) continue;
            std::make_heap(candidates_.begin(), candidates_.end(), better);
        } else {
            std::pop_heap(candidates_.begin(), candidates_.end(), better);
            candidates_.back() = candidate;
            std::push_heap(candidates_.begin(), candidates_.end(), better);
        }
        worst = candidates_.front().logit;
    }
    std::sort(candidates_.begin(), candidates_.end(), better);
}

int Sampler::operator()(std::span<const float> logits) {
    if (o_.temperature <= 0 || o_.top_k == 1) {
        int best = 0;
        float top = -INFINITY;
        for (size_t i = 0; i < logits.size(); i++) {
            if (!(logits[i] > top) || (!masked_.empty() && masked_[i])) continue;  // a NaN is never the best
            best = static_cast<int>(i);
            top = logits[i];
        }
        return best;
    }
    collect(logits);
    if (candidates_.empty()) return 0;
    const size_t n = candidates_.size();
    p_.resize(n);
    double sum = 0;
    const auto scaled = [&](float logit) {
        const double capped = softcap_ > 0 ? softcap_ * std::tanh(logit / softcap_) : logit;
        return capped / o_.temperature;
    };
    const double top = scaled(candidates_[0].logit);
    if (!std::isfinite(top)) return candidates_[0].id;
    for (size_t i = 0; i < n; i++) sum += p_[i] = std::exp(scaled(candidates_[i].logit) - top);
    for (double& p : p_) p /= sum;

    size_t kept = n;  // candidates are sorted: every filter keeps a prefix, and always the first
    if (o_.top_p < 1) {
        double tail = 0;  // probability of candidates i..n-1
        for (size_t i = n; i-- > 1;) {
            tail += p_[i];
            if (tail <= 1 - static_cast<double>(o_.top_p)) kept = i;
            else break;
        }
    }
    if (o_.min_p > 0) {
        size_t i = 1;
        while (i < kept && p_[i] >= o_.min_p * p_[0]) i++;
        kept = i;
    }
    double total = 0;
    for (size_t i = 0; i < kept; i++) total += p_[i];
    double u = uniform() * total;
    for (size_t i = 0; i < kept; i++) {
        u -= p_[i];
        if (u < 0) return candidates_[i].id;
    }
    return candidates_[kept - 1].id;
}

}  // namespace gemma3n::runtime
