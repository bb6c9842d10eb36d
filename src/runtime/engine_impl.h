// The inside of an Engine: what a session needs to run a step. Not installed.
#pragma once

#include "gemma3n/engine.h"

#include "base/result.h"
#include "format/checkpoint.h"
#include "kernels/table.h"
#include "model/text/decoder.h"
#include "parallel/pool.h"
#include "runtime/budget.h"
#include "runtime/planner.h"
#include "runtime/prompt.h"
#include "runtime/towers.h"
#include "steps/steps.h"
#include "tensor/arena.h"
#include "tokens/tokenizer.h"

#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>

namespace gemma3n {

struct Engine::Impl {
    EngineOptions options;
    ModelInfo info;
    std::shared_ptr<format::Checkpoint> checkpoint;
    model::Config config;
    std::shared_ptr<model::Weights> weights;
    std::shared_ptr<tokens::Tokenizer> tokenizer;  // null when the model came without one
    std::string no_tokenizer;                      // why
    std::vector<bool> masked;                      // ids that are never sampled
    const kernels::Table* table = nullptr;
    std::unique_ptr<Pool> pool;
    std::unique_ptr<steps::Steps> steps;
    steps::Steps* timed = nullptr;                 // runs in place of `steps` inside time_steps()
    std::unique_ptr<model::Decoder> decoder;
    std::optional<runtime::Towers> towers;         // set by load
    std::optional<runtime::Planner> planner;       // likewise
    runtime::Budget budget;

    std::mutex mutex;                              // one step at a time
    Arena arena;
    std::optional<Arena::Scope> scope;             // of the last step's scratch, its logits included

    // One pass over rows that continue their caches. Checks nothing about rows; on failure no cache has advanced.
    // The caller holds `mutex` until it has read the logits.
    Result<View> forward(const model::Batch& batch, const model::ForwardOptions& options);

    Context context(Arena& scratch, InputObserver* inputs = nullptr) {
        return {*table, *pool, scratch, options.activations == Activations::f32, inputs};
    }
    Result<const tokens::Tokenizer*> need_tokenizer() const;

    // ---- the limit (runtime/room.cpp); `mutex` is held ----
    // Makes room for a step, and the scratch itself in one piece.
    Status room_for_step(const model::StepShape& shape);
    // Makes room for a tower with the scratch that it needs: one of `vision` and `audio` is not 0.
    Status room_for_tower(uint64_t vision, uint64_t audio, uint64_t scratch, const std::string& subject);
    // Rows of a step that fit, up to `rows`; at least 1. With or without logits of all of them.
    int64_t rows_that_fit(int64_t rows, bool logits, int64_t context) const;
    uint64_t scratch_allowed() const;  // of a step, with the towers given back
    void drop_text();                  // pages of the network's weights, scratch of its steps
    void drop_towers();

    // The rows of ids that are generated and of a prompt after them, their marks' vectors made if need be. Takes `mutex`.
    Result<std::vector<runtime::InputRow>> rows_of(std::span<const int> generated, const Prompt& prompt);
};

struct Session::Impl {
    Impl(std::shared_ptr<Engine> e, const SessionOptions& o, runtime::Budget::Share admitted);

    std::shared_ptr<Engine> engine;
    SessionOptions options;
    int64_t context = 0;
    runtime::Budget::Share share;
    model::Cache cache;
    std::vector<int> pending;    // generated, but not yet in the cache
    std::vector<float> logits;   // that append() handed out
    bool turn_open = false;      // the model's turn has not been closed with <end_of_turn>

    Engine::Impl& e() { return engine->impl(); }

    bool fresh() const { return cache.length() == 0 && pending.empty(); }

    // Feeds rows in chunks; f(logits of the last one, raw or capped) while the engine is held; without f no logits are made. False from
    // progress undoes all.
    Result<bool> feed(std::span<const runtime::InputRow> rows, bool cap_logits, const std::function<bool(int64_t, int64_t)>& progress,
                      const std::function<void(std::span<const float>)>& f);
    Result<Answer> generate(const Prompt& prompt, const GenerateOptions& options);
};

// f(), which gives a Result; memory that is not there is an error of the request.
template <class F>
auto within_memory(const Engine::Impl& e, F&& f) -> decltype(f()) {
    try {
        return f();
    } catch (const std::bad_alloc&) {
    } catch (const std::length_error&) {
    }
    return fail(Code::over_budget, "%s: out of memory in a request", e.info.path.c_str());
}

}  // namespace gemma3n
