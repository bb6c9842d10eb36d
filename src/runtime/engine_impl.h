// The inside of an Engine: what a session needs to run a step. Not installed.
#pragma once

#include "gemma3n/engine.h"

#include "base/result.h"
#include "format/checkpoint.h"
#include "kernels/table.h"
#include "model/text/decoder.h"
#include "parallel/pool.h"
#include "runtime/budget.h"
#include "runtime/grouped_rows.h"
#include "runtime/past.h"
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
    std::shared_ptr<const Slice> size;             // of sessions, unless they are told otherwise

    std::mutex mutex;                              // one step at a time
    Arena arena;
    std::optional<Arena::Scope> scope;             // of the last step's scratch, its logits included

    // A pass for each group over rows that continue their caches; logits in the order of `wanted`, which one group does not need. Checks
    // nothing about rows; on failure no cache has advanced. The caller holds `mutex` until it has read the logits.
    Result<View> forward(std::span<const model::Batch> groups, const model::ForwardOptions& options, std::span<const runtime::GroupedRows::Place> wanted = {});
    Result<View> forward(const model::Batch& batch, const model::ForwardOptions& options) { return forward(std::span(&batch, 1), options); }

    Context context(Arena& scratch, InputObserver* inputs = nullptr) {
        return {*table, *pool, scratch, options.activations == Activations::f32, inputs};
    }
    Result<const tokens::Tokenizer*> need_tokenizer() const;

    // ---- the limit (runtime/room.cpp); `mutex` is held ----
    // Makes room for a step of those groups, and the scratch itself in one piece.
    Status room_for_step(uint64_t scratch, std::span<const model::Batch> groups);
    // Before a group of it: where the whole model does not fit beside the rest, pages of other sizes are given back.
    void settle(const Slice& slice);
    // Makes room for a tower with the scratch that it needs: one of `vision` and `audio` is not 0.
    Status room_for_tower(uint64_t vision, uint64_t audio, uint64_t scratch, const std::string& subject);
    // Refuses soft tokens of so many bytes where beside them no prompt could be read any more.
    Status room_for_soft(uint64_t bytes, const std::string& subject) const;
    // Rows of a step that fit, up to `rows`; at least 1. With or without logits of all of them.
    int64_t rows_that_fit(int64_t rows, bool logits, int64_t context, const Slice& slice) const;
    uint64_t scratch_allowed(const Slice& slice) const;  // of a step, with the towers given back
    void drop_text();                  // pages of the network's weights, scratch of its steps
    void drop_towers();

    // The rows of ids that are generated and of a prompt after them, their marks' vectors made if need be. Takes `mutex`.
    Result<std::vector<runtime::InputRow>> rows_of(std::span<const int> generated, const Prompt& prompt);
};

struct Session::Impl {
    Impl(std::shared_ptr<Engine> e, const SessionOptions& o, std::shared_ptr<const Slice> s, runtime::Budget::Share admitted);

    std::shared_ptr<Engine> engine;
    SessionOptions options;
    int64_t context = 0;
    runtime::Budget::Share share;
    std::shared_ptr<const Slice> size;  // that the next token runs through
    model::Cache cache;
    runtime::Past past;          // what the cache holds, to process it again
    std::vector<int> pending;    // generated, but not yet in the cache
    std::vector<float> logits;   // that append() handed out
    bool turn_open = false;      // the model's turn has not been closed with <end_of_turn>
    bool feeding = false;        // a prompt is on its way into the cache

    Engine::Impl& e() { return engine->impl(); }

    bool fresh() const { return cache.length() == 0 && pending.empty(); }

    struct Feed {
        bool cap_logits = true;
        std::function<bool(int64_t done, int64_t total)> progress;
        std::function<void(std::span<const float>)> logits;  // of the last row, while the engine is held; empty: none are made
        std::shared_ptr<const Slice> prefill;                // all rows but the last run through it; null: the session's
        std::vector<SizeRun>* sizes = nullptr;               // told which slice took which rows
    };
    // Feeds rows in chunks. False from progress undoes all.
    Result<bool> feed(std::span<const runtime::InputRow> rows, const Feed& how);
    Result<Answer> generate(const Prompt& prompt, const GenerateOptions& options);
    model::Cache new_cache(const Slice& slice);
    Status set_size(Slice slice, const SizeOptions& options);
    Status process_again(std::shared_ptr<const Slice> slice, const SizeOptions& options);
    // Under a limit, refuses a second cache of this context beside the first. The engine is held.
    Status check_second_fits(const Slice& slice);
    // Refuses a slice whose cache is not this one's, with the rule.
    Status check_shares_cache(const Slice& slice, const char* remedy);
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
