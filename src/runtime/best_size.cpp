// Which size: of those that are listed, the best that fits and is fast enough.
#include "model/slices.h"
#include "runtime/planner.h"
#include "runtime/speed.h"

#include <algorithm>

namespace gemma3n::runtime {

Result<Slice> Planner::prefill(const MemoryNeeds& needs, const Slice& slice) const {
    if (needs.prefill_size.empty()) return slice;
    return model::find_slice(config_, checkpoint_, needs.prefill_size);
}

Planner::Choice Planner::in_size(Choice c, const Slice& slice) const {
    c.slice = &slice;
    c.weights = std::max(weights(slice), c.prefill ? weights(*c.prefill) : 0);
    return c;
}

std::vector<Slice> Planner::best_first() const {
    std::vector<model::ListedSlice> listed = model::listed_slices(config_);
    std::erase_if(listed, [&](const model::ListedSlice& l) { return !model::check_slice(config_, checkpoint_, l.slice, ""); });
    std::vector<std::pair<model::ListedSlice, uint64_t>> found;
    for (auto& l : listed) {
        const uint64_t read = weighed(l.slice).read;
        found.emplace_back(std::move(l), read);
    }
    // by published accuracy where it is known, the whole above all; else by what is read
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        if (a.first.mmlu > 0 && b.first.mmlu > 0) return a.first.mmlu > b.first.mmlu;
        return a.second > b.second;
    });
    std::vector<Slice> out;
    for (auto& w : found) out.push_back(std::move(w.first.slice));
    return out;
}

std::string Planner::smaller_size(const Slice& than, const std::function<bool(const Slice&)>& fits) const {
    const uint64_t most = weights(than);
    for (const Slice& s : best_first())
        if (weights(s) < most && fits(s)) return s.name;
    return "";
}

double Planner::bytes_per_token(const Slice& slice, int64_t context) const {
    constexpr int64_t usual = 512;  // tokens before it
    const int64_t keys = std::min(context > 0 ? context : usual, usual);
    double n = static_cast<double>(weighed(slice).read);
    for (const int layer : slice.layers) {
        const int64_t seen = config_.layers[static_cast<size_t>(layer)].sliding ? std::min(keys, config_.window) : keys;
        n += static_cast<double>(2 * config_.n_kv_heads * seen) * static_cast<double>(row_bytes(kv_type(options_), config_.head_dim));
    }
    return n;
}

Result<Slice> Planner::size(const MemoryNeeds& needs, double* tokens_per_s) const {
    const std::string& name = needs.size.empty() ? options_.size : needs.size;
    if (name.empty()) return model::whole(config_);
    if (name != "fit") return model::find_slice(config_, checkpoint_, name);
    if (options_.memory_limit == 0) return fail(Code::bad_argument, "size 'fit': expected a memory limit that it is to fit");
    const std::vector<Slice> sizes = best_first();
    double speed = 0, fastest = 0;
    if (needs.tokens_per_s > 0) {
        ASSIGN(speed, read_speed(options_, weights_, n_threads_));
    }
    for (const Slice& slice : sizes) {
        if (!fit(needs, 0, slice)) continue;
        const double rate = speed / bytes_per_token(slice, needs.context_tokens);
        if (tokens_per_s) *tokens_per_s = rate;
        if (rate >= needs.tokens_per_s) return slice;
        fastest = std::max(fastest, rate);
    }
    if (fastest > 0) {
        return fail(Code::over_budget, "%s: no size answers %.1f tokens a second here: the fastest that fits the limit reads its weights in time for about %.1f", checkpoint_.path().c_str(), needs.tokens_per_s, fastest);
    }
    return sizes.back();  // its refusal is the answer
}

}  // namespace gemma3n::runtime
