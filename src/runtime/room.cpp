// How an engine keeps to its limit: what is given back before something else is let in.
#include "model/residency.h"
#include "runtime/engine_impl.h"

#include <algorithm>

namespace gemma3n {

static std::string gigabytes(uint64_t n) { return text("%.3f GB", static_cast<double>(n) / 1e9); }

uint64_t Engine::Impl::scratch_allowed() const {
    const uint64_t fixed = planner->idle() + planner->requests() + planner->weights() + budget.sessions();
    return budget.limit() > fixed ? budget.limit() - fixed : 0;
}

int64_t Engine::Impl::rows_that_fit(int64_t rows, bool logits, int64_t context) const {
    if (!budget.limited()) return rows;
    const uint64_t allowed = scratch_allowed();
    while (rows > 1 && planner->scratch(planner->step(rows, logits ? rows : 1, context)) > allowed) rows = (rows + 1) / 2;
    return rows;
}

void Engine::Impl::drop_text() {
    scope.reset();
    arena = Arena();
    for (const auto c : model::always_read) model::advise(*checkpoint, config, c, Advice::dont_need);
    budget.text_resident = false;
}

void Engine::Impl::drop_towers() {
    towers->release();
    budget.vision = budget.audio = 0;
}

Status Engine::Impl::room_for_step(const model::StepShape& shape) {
    const uint64_t needed = planner->scratch(shape);
    scope.reset();
    if (budget.limited()) {
        const uint64_t allowed = scratch_allowed();
        if (needed > allowed) {
            return fail(Code::over_budget, "%s: a step of %lld tokens with the logits of %lld needs %s of scratch, and the limit of %s leaves %s", info.path.c_str(), static_cast<long long>(shape.rows),
                        static_cast<long long>(shape.wanted), gigabytes(needed).c_str(), gigabytes(budget.limit()).c_str(), gigabytes(allowed).c_str());
        }
        if (arena.capacity_bytes() > allowed) arena = Arena();  // a larger step left it, before others were let in
        if (budget.vision + budget.audio > allowed - std::max(needed, arena.capacity_bytes())) drop_towers();
        budget.text_resident = true;
    }
    arena.reserve(needed);
    return {};
}

Status Engine::Impl::room_for_tower(uint64_t vision, uint64_t audio, uint64_t scratch, const std::string& subject) {
    if (budget.limited()) {
        const uint64_t fixed = planner->idle() + planner->requests() + budget.sessions(), needed = vision + audio;
        const auto others = [&] {
            return (budget.text_resident ? planner->weights() + arena.capacity_bytes() : 0) + (vision > 0 ? budget.audio : budget.vision);
        };
        const auto fits = [&] { return fixed + others() + needed <= budget.limit(); };
        if (!fits()) drop_text();
        if (!fits()) drop_towers();
        if (!fits()) {
            const int64_t side = vision > 0 ? planner->largest_side(1 << 12, [&](int64_t s) {
                const auto bytes = planner->vision(s);
                return bytes && fixed + *bytes <= budget.limit();
            }) : 0;
            return fail(Code::over_budget, "%s: %s needs %s beside %s for the rest, and the limit is %s%s", info.path.c_str(), subject.c_str(), gigabytes(needed).c_str(), gigabytes(fixed).c_str(),
                        gigabytes(budget.limit()).c_str(), side > 0 ? text(": what fits is a picture of %lld pixels a side", static_cast<long long>(side)).c_str() : "");
        }
        (vision > 0 ? budget.vision : budget.audio) = needed;
    }
    if (towers->scratch().capacity_bytes() < scratch) towers->scratch().reserve(scratch);
    return {};
}

}  // namespace gemma3n
