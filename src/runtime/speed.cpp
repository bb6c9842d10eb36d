#include "runtime/speed.h"

#include "ops/linear.h"

#include <algorithm>
#include <chrono>

namespace gemma3n::runtime {

Result<const kernels::Table*> choose_kernels(const std::string& name) {
    const kernels::Table* table = kernels::choose(name.empty() ? nullptr : name.c_str());
    if (table) return table;
    std::string known;
    for (const kernels::Entry& e : kernels::all()) {
        known += (known.empty() ? "" : ", ") + std::string(e.table->name) + (e.supported ? "" : " (not on this CPU)");
    }
    return fail(Code::bad_argument, "kernels '%s' cannot run here: this program has %s", name.c_str(), known.c_str());
}

Result<double> read_speed(const EngineOptions& options, const model::Weights& weights, int n_threads) {
    ASSIGN(const kernels::Table* table, choose_kernels(options.kernels));
    const View& head = weights.lm_head;
    Pool pool(n_threads);
    Arena arena;
    Context c{*table, pool, arena, options.activations == Activations::f32};
    const View x = arena.view(1, head.n_cols), y = arena.view(1, head.n_rows);
    std::fill_n(x.f32(), x.n_cols, 1.0f);
    const PoolAwake awake(pool);
    double best = 0;
    for (int run = 0; run < 4; run++) {
        const Arena::Scope scope(arena);
        const auto start = std::chrono::steady_clock::now();
        ops::linear(c, x, head, y);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (run > 0) best = std::max(best, static_cast<double>(head.n_rows) * static_cast<double>(head.stride) / std::max(seconds, 1e-9));
    }
    return best;
}

}  // namespace gemma3n::runtime
