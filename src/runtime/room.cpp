// How an engine keeps to its limit: what is given back before something else is let in.
#include "model/residency.h"
#include "model/slice.h"
#include "model/slice_pages.h"
#include "runtime/engine_impl.h"

#include <algorithm>

namespace gemma3n {

using runtime::gigabytes;
static std::string megabytes(uint64_t n) { return text("%.1f MB", static_cast<double>(n) / 1e6); }

uint64_t Engine::Impl::scratch_allowed(const Slice& slice) const {
    const uint64_t fixed = planner->idle() + planner->requests() + planner->weights(slice) + budget.sessions();
    return budget.limit() > fixed ? budget.limit() - fixed : 0;
}

int64_t Engine::Impl::rows_that_fit(int64_t rows, bool logits, int64_t context, const Slice& slice) const {
    if (!budget.limited() || rows <= 1) return rows;
    const uint64_t allowed = scratch_allowed(slice);
    while (rows > 1 && planner->scratch(slice, planner->step(rows, logits ? rows : 1, context)) > allowed) rows = (rows + 1) / 2;
    return rows;
}

void Engine::Impl::drop_text() {
    scope.reset();
    arena = Arena();
    for (const auto c : model::always_read) model::advise(*checkpoint, config, c, Advice::dont_need);
    budget.resident = {};
}

void Engine::Impl::drop_towers() {
    towers->release();
    budget.vision = budget.audio = 0;
}

Status Engine::Impl::room_for_step(uint64_t needed, std::span<const model::Batch> groups) {
    scope.reset();
    if (budget.limited()) {
        uint64_t allowed = ~uint64_t{0};
        for (const model::Batch& b : groups) allowed = std::min(allowed, scratch_allowed(b.slice ? *b.slice : *size));
        if (needed > allowed) {
            size_t n = 0;
            for (const model::Batch& b : groups) n += b.rows.size();
            return fail(Code::over_budget, "%s: a step of %zu tokens needs %s of scratch, and the limit of %s leaves %s", info.path.c_str(), n, gigabytes(needed).c_str(),
                        gigabytes(budget.limit()).c_str(), gigabytes(allowed).c_str());
        }
        if (arena.capacity_bytes() > allowed) arena = Arena();  // a larger step left it, before others were let in
        if (budget.vision + budget.audio > allowed - std::max(needed, arena.capacity_bytes())) drop_towers();
    }
    arena.reserve(needed);
    return {};
}

void Engine::Impl::settle(const Slice& slice) {
    if (budget.limited() && !model::same_network(budget.running, slice)) budget.running = slice;
    if (!budget.limited() || (!budget.resident.layers.empty() && model::same_network(budget.resident, slice))) return;
    if (!budget.resident.layers.empty()) {  // another size's pages are in memory
        Slice whole = model::whole(config);
        if (scratch_allowed(whole) >= arena.capacity_bytes() + budget.vision + budget.audio) {
            budget.resident = std::move(whole);
            return;
        }
        model::release_rest(*checkpoint, model::pages_of(*checkpoint, config, whole), model::pages_of(*checkpoint, config, slice));
    }
    budget.resident = slice;
}

Status Engine::Impl::room_for_soft(uint64_t bytes, const std::string& subject) const {
    if (!budget.limited()) return {};
    const Slice& slice = budget.running.layers.empty() ? *size : budget.running;
    const uint64_t step = planner->scratch(slice, planner->step(runtime::least_chunk, 1, config.context_length)), allowed = scratch_allowed(slice);
    if (step + bytes <= allowed) return {};
    const uint64_t left = allowed > step ? allowed - step : 0, picture = planner->soft({.pictures = 1});
    const std::string fits = bytes > picture && left >= picture ? text(": what fits are the tokens of %llu pictures", static_cast<unsigned long long>(left / picture)) : ": what fits is a shorter context or a smaller size";
    return fail(Code::over_budget, "%s: the tokens of %s are %s to be kept, and the limit of %s leaves %s%s", info.path.c_str(), subject.c_str(), megabytes(bytes).c_str(), gigabytes(budget.limit()).c_str(),
                megabytes(left).c_str(), fits.c_str());
}

Status Engine::Impl::room_for_tower(uint64_t vision, uint64_t audio, uint64_t scratch, const std::string& subject) {
    if (budget.limited()) {
        const uint64_t fixed = planner->idle() + planner->requests() + budget.sessions();
        uint64_t& held = vision > 0 ? budget.vision : budget.audio;  // an earlier encoding's scratch, which may be larger, stays until the towers go
        const auto others = [&] {
            return (budget.resident.layers.empty() ? 0 : planner->weights(budget.resident)) + arena.capacity_bytes() + (vision > 0 ? budget.audio : budget.vision);
        };
        const auto fits = [&] { return fixed + others() + std::max(held, vision + audio) <= budget.limit(); };
        if (!fits()) drop_text();
        if (!fits()) drop_towers();
        if (!fits()) {
            const int64_t side = vision > 0 ? planner->largest_side(1 << 12, [&](int64_t s) {
                const auto bytes = planner->vision(s);
                return bytes && fixed + *bytes <= budget.limit();
            }) : 0;
            return fail(Code::over_budget, "%s: %s needs %s beside %s for the rest, and the limit is %s%s", info.path.c_str(), subject.c_str(), gigabytes(vision + audio).c_str(), gigabytes(fixed).c_str(),
                        gigabytes(budget.limit()).c_str(), side > 0 ? text(": what fits is a picture of %lld pixels a side", static_cast<long long>(side)).c_str() : "");
        }
        held = std::max(held, vision + audio);
    }
    if (towers->scratch().capacity_bytes() < scratch) towers->scratch().reserve(scratch);
    return {};
}

}  // namespace gemma3n
