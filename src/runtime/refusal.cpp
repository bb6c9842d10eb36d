// What a refusal names: changes that were planned, not guessed.
#include "runtime/planner.h"

#include <algorithm>

namespace gemma3n::runtime {

namespace {

constexpr uint64_t start_varies = 1000000;  // what a program holds when it begins, from run to run, by half of that: what is named works in the next

long long ll(int64_t v) { return static_cast<long long>(v); }

}  // namespace

int64_t Planner::largest_side(int64_t side, const std::function<bool(int64_t)>& fits) const {
    const auto tower = towers_.vision();
    if (!tower) return 0;
    const int64_t step = (*tower)->side_multiple();
    for (side = (side - 1) / step * step; side > 0; side -= step)
        if (fits(side)) return side;
    return 0;
}

// What would fit, each change by itself, then two together; where nothing does, the least limit that would.
Error Planner::refusal(const MemoryNeeds& needs, const Choice& smallest, uint64_t bytes) const {
    const auto fits = [&](const Choice& c) {
        const auto p = lay_out(needs, c);
        return p && p->peak_bytes + start_varies <= options_.memory_limit;
    };
    const auto shorter = [&](Choice c) -> int64_t {  // the longest context that fits
        for (c.context = (c.context - 1) / context_step * context_step; c.context > 0; c.context -= context_step)
            if (fits(c)) return c.context;
        return 0;
    };
    Choice q8 = smallest;
    if (fits_q8(config_)) q8.kv = KvType::q8;
    const bool may_q8 = q8.kv != smallest.kv;
    const std::vector<Slice> sizes = best_first();
    std::vector<std::string> works;
    if (const std::string smaller = smaller_size(*smallest.slice, [&](const Slice& s) {
            const Choice c = in_size(smallest, s);
            return c.weights < smallest.weights && fits(c);
        }); !smaller.empty()) works.push_back("size " + smaller);
    if (may_q8 && fits(q8)) works.push_back("keys and values of type q8");
    if (const int64_t context = shorter(smallest); context > 0) works.push_back(text("a context of %lld tokens", ll(context)));
    if (smallest.side > 0) {
        const int64_t side = largest_side(smallest.side, [&](int64_t s) {
            Choice c = smallest;
            c.side = s;
            return fits(c);
        });
        if (side > 0) works.push_back(text("pictures of %lld pixels a side", ll(side)));
    }
    if (works.empty() && may_q8) {
        if (const int64_t context = shorter(q8); context > 0) works.push_back(text("a context of %lld tokens together with keys and values of type q8", ll(context)));
    }
    const std::string needed = text("%s: needs %s for a context of %lld tokens in size %s with keys and values of type %s, and the limit is %s", checkpoint_.path().c_str(), gigabytes(bytes).c_str(),
                                    ll(smallest.context), smallest.slice->name.c_str(), name(smallest.kv), gigabytes(options_.memory_limit).c_str());
    if (!works.empty()) {
        std::string list;
        for (const std::string& w : works) list += (list.empty() ? "" : ", or ") + w;
        return fail(Code::over_budget, "%s: what fits is %s", needed.c_str(), list.c_str());
    }
    q8.context = std::min(q8.context, least_context);
    for (const Slice& s : sizes) {
        if (const Choice c = in_size(q8, s); c.weights < q8.weights) q8 = c;
    }
    const auto least = lay_out(needs, q8);
    if (!least) return least.error();
    return fail(Code::over_budget, "%s: the least limit that works is %lluM, with a context of %lld tokens, keys and values of type %s and size %s", needed.c_str(),
                static_cast<unsigned long long>((least->peak_bytes + start_varies + 999999) / 1000000), ll(q8.context), name(q8.kv), q8.slice->name.c_str());
}

}  // namespace gemma3n::runtime
