#include "gemma3n/engine.h"

#include "base/cpu.h"
#include "base/result.h"
#include "model/residency.h"
#include "model/slice_pages.h"
#include "model/slices.h"
#include "runtime/engine_impl.h"
#include "runtime/grouped_rows.h"
#include "runtime/info.h"
#include "runtime/planner.h"
#include "runtime/sampler.h"
#include "runtime/speed.h"
#include "runtime/trace_tap.h"
#include "steps/timed.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

namespace gemma3n {

constexpr int max_threads = 1024;

Engine::Engine() : impl_(std::make_unique<Impl>()) {}
Engine::~Engine() = default;

Result<std::shared_ptr<Engine>> Engine::load(const std::string& path, const EngineOptions& options) {
    if (options.threads < 0 || options.threads > max_threads) {
        return fail(Code::bad_argument, "threads is %d: expected 1 to %d, or 0 for one per core", options.threads, max_threads);
    }
    try {
        return load_unguarded(path, options);
    } catch (const std::bad_alloc&) {
        return fail(Code::over_budget, "%s: out of memory while it was loaded", path.c_str());
    } catch (const std::system_error& e) {
        return fail(Code::over_budget, "%s: the threads of the engine cannot be started: %s", path.c_str(), e.what());
    }
}

Result<std::shared_ptr<Engine>> Engine::load_unguarded(const std::string& path, const EngineOptions& options) {
    const auto reached = [&](double fraction) { return !options.progress || options.progress(fraction); };
    const auto cancelled = [&] { return fail(Code::cancelled, "%s: loading was cancelled", path.c_str()); };
    std::shared_ptr<Engine> engine(new Engine);
    Impl& e = *engine->impl_;
    e.options = options;
    ASSIGN(e.table, runtime::choose_kernels(options.kernels));
    if (!reached(0)) return cancelled();
    ASSIGN(e.checkpoint, format::Checkpoint::open(path));
    ASSIGN(e.config, model::read_config(*e.checkpoint));
    TRY(runtime::check_kv(options, e.config));
    ASSIGN(e.weights, model::bind_weights(*e.checkpoint, e.config));
    ASSIGN(e.towers, runtime::Towers::open(e.checkpoint, e.config, options.mmproj));
    const int n_threads = options.threads > 0 ? options.threads : physical_cores();
    e.planner.emplace(e.options, *e.checkpoint, e.config, *e.weights, *e.towers, n_threads);
    e.budget.set_limit(options.memory_limit);
    ASSIGN(Slice size, e.planner->size({}));
    if (options.memory_limit > 0) {
        const bool least = static_cast<bool>(e.planner->plan({.context_tokens = 1, .chunk_tokens = 1}, 0, &size));
        if (const auto plan = e.planner->plan({}, 0, &size); !plan && !least) return plan.error();  // less than usual may be asked for
    }
    // What every token reads is asked for now, so that a cold disk works while the tokenizer is read.
    model::read_ahead(*e.checkpoint, model::pages_of(*e.checkpoint, e.config, size));
    e.size = std::make_shared<const Slice>(std::move(size));
    if (!reached(0.5)) return cancelled();
    if (auto tokenizer = tokens::Tokenizer::load(*e.checkpoint)) {
        e.tokenizer = *tokenizer;
    } else if (tokenizer.error().code == Code::not_found) {
        e.no_tokenizer = tokenizer.error().message;
    } else {
        return tokenizer.error();
    }
    e.masked = runtime::masked_ids(e.config);
    e.pool = std::make_unique<Pool>(n_threads);
    e.steps = steps::cpu_steps();
    e.decoder = model::make_decoder(e.config, *e.weights);
    e.info = runtime::describe(e);
    if (!reached(1)) return cancelled();
    return engine;
}

const ModelInfo& Engine::info() const { return impl_->info; }

Result<const tokens::Tokenizer*> Engine::Impl::need_tokenizer() const {
    if (tokenizer) return static_cast<const tokens::Tokenizer*>(tokenizer.get());
    return fail(Code::not_found, "%s", no_tokenizer.c_str());
}

Result<std::vector<int>> Engine::tokenize(std::string_view text, TokenizeOptions options) const {
    ASSIGN(const tokens::Tokenizer* t, impl_->need_tokenizer());
    return within_memory(*impl_, [&]() -> Result<std::vector<int>> { return t->encode(text, {options.add_bos, options.parse_special}); });
}

Result<Prompt> Engine::chat_prompt(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const {
    ASSIGN(const tokens::Tokenizer* t, impl_->need_tokenizer());
    return within_memory(*impl_, [&] { return runtime::chat_prompt(*t, impl_->towers->config().ids, messages, add_generation_prompt, true); });
}

Result<std::vector<int>> Engine::encode_chat(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const {
    ASSIGN(Prompt prompt, chat_prompt(messages, add_generation_prompt));
    if (!prompt.media.empty()) return fail(Code::bad_argument, "a conversation with %zu pictures or clips is not ids alone: expected text, or chat_prompt", prompt.media.size());
    return std::move(prompt.ids);
}

Result<Prompt> Engine::text_prompt(const std::vector<Part>& parts, bool add_bos) const {
    ASSIGN(const tokens::Tokenizer* t, impl_->need_tokenizer());
    return within_memory(*impl_, [&] { return runtime::text_prompt(*t, impl_->towers->config().ids, parts, add_bos); });
}

Result<std::string> Engine::detokenize(const std::vector<int>& ids, bool skip_special) const {
    ASSIGN(const tokens::Tokenizer* t, impl_->need_tokenizer());
    return within_memory(*impl_, [&]() -> Result<std::string> { return t->decode(ids, skip_special); });
}

Result<View> Engine::Impl::forward(std::span<const model::Batch> groups, const model::ForwardOptions& forward_options, std::span<const runtime::GroupedRows::Place> wanted) {
    TRY(checkpoint->intact());
    size_t n_tokens = 0;
    for (const model::Batch& batch : groups) n_tokens += batch.rows.size();
    try {
        int64_t n_wanted = 0;
        uint64_t needed = 0;
        for (const model::Batch& batch : groups) {
            int64_t of_batch = 0, longest = 0;
            for (const model::Row& r : batch.rows) {
                of_batch += r.wants_logits;
                longest = std::max(longest, r.position + 1);
            }
            n_wanted += of_batch;
            needed = std::max(needed, planner->scratch(batch.slice ? *batch.slice : *size, planner->step(static_cast<int64_t>(batch.rows.size()), of_batch, longest)));
        }
        if (groups.size() > 1) needed += static_cast<uint64_t>(n_wanted * config.vocab) * sizeof(float) + 64;
        TRY(room_for_step(needed, groups));
        scope.emplace(arena);
        std::vector<std::pair<model::Cache*, int64_t>> grow;  // by how many rows
        for (const model::Batch& batch : groups) {
            const size_t first = grow.size();
            for (model::Cache* cache : batch.caches) grow.push_back({cache, 0});
            for (const model::Row& r : batch.rows) grow[first + static_cast<size_t>(r.sequence)].second++;
        }
        for (const auto& [cache, n] : grow) cache->prepare(n);

        Context c = context(arena, forward_options.inputs);
        const PoolAwake awake(*pool);
        const auto pass = [&](const model::Batch& batch) {
            settle(batch.slice ? *batch.slice : *size);
            return decoder->forward(c, timed ? *timed : *steps, batch, forward_options);
        };
        View logits;
        if (groups.size() == 1) {
            ASSIGN(logits, pass(groups[0]));
        } else {
            logits = arena.view(static_cast<int64_t>(wanted.size()), config.vocab);
            for (size_t g = 0; g < groups.size(); g++) {
                const Arena::Scope of_group(arena);
                ASSIGN(const View some, pass(groups[g]));
                for (size_t i = 0; i < wanted.size(); i++) {
                    if (wanted[i].group != static_cast<int>(g)) continue;
                    std::copy_n(some.f32(wanted[i].row), config.vocab, logits.f32(static_cast<int64_t>(i)));
                }
            }
            if (wanted.empty()) logits = View{};
        }
        TRY(checkpoint->intact());  // a page that failed under the pass has put zeros into it
        for (const auto& [cache, n] : grow) cache->commit(n);
        return logits;
    } catch (const std::bad_alloc&) {
        return fail(Code::over_budget, "%s: out of memory in a step of %zu tokens", checkpoint->path().c_str(), n_tokens);
    }
}

Result<std::vector<runtime::InputRow>> Engine::Impl::rows_of(std::span<const int> generated, const Prompt& prompt) {
    std::vector<runtime::InputRow> rows;
    for (const int id : generated) rows.push_back({id});
    TRY(runtime::join(prompt, towers->config().ids, config.hidden, rows));
    const std::lock_guard lock(mutex);
    TRY(runtime::complete_rows(rows, config.vocab, *towers, context(towers->scratch())));
    return rows;
}

static void make_room(std::span<const StepRow> rows) {
    for (const StepRow& r : rows) r.session->impl().past.make_room(rows.size());
}

// The tokens are in their sessions' caches now.
static void remember(std::span<const StepRow> rows) {
    for (const StepRow& r : rows) r.session->impl().past.push(r.id, r.embedding);
}

static StepLogits as_logits(const View& v, int64_t vocab) { return v ? StepLogits{v.f32(), v.n_rows, vocab} : StepLogits{nullptr, 0, vocab}; }

Result<StepLogits> Engine::step(std::span<const StepRow> rows) {
    return within_memory(*impl_, [&]() -> Result<StepLogits> {
        const std::lock_guard lock(impl_->mutex);
        ASSIGN(const runtime::GroupedRows grouped, runtime::grouped(*this, rows));
        make_room(rows);
        ASSIGN(const View logits, impl_->forward(grouped.groups, {}, grouped.wanted));
        remember(rows);
        return as_logits(logits, impl_->config.vocab);
    });
}

Result<StepLogits> Engine::trace(std::span<const StepRow> rows, const std::function<bool(const std::string&)>& wanted, const TraceSink& sink) {
    return within_memory(*impl_, [&]() -> Result<StepLogits> {
        const std::lock_guard lock(impl_->mutex);
        ASSIGN(const runtime::GroupedRows grouped, runtime::grouped(*this, rows));
        if (grouped.groups.size() > 1) return fail(Code::bad_argument, "a trace of sessions of %zu sizes: expected one, or a trace each", grouped.groups.size());
        if (!sink) return fail(Code::bad_argument, "a trace without a sink: expected somebody to take the tensors");
        runtime::TraceTap tap(wanted, sink);
        if (tap.wants("input_ids")) {
            TraceTensor ids{"input_ids", {static_cast<int64_t>(rows.size())}, {}, {}};
            for (const StepRow& r : rows) ids.ids.push_back(r.id);
            sink(ids);
        }
        make_room(rows);
        ASSIGN(const View logits, impl_->forward(grouped.groups, {.shortcut = true, .cap_logits = true, .tap = &tap}, grouped.wanted));
        remember(rows);
        return as_logits(logits, impl_->config.vocab);
    });
}

void Engine::release() {
    const std::lock_guard lock(impl_->mutex);
    impl_->drop_text();
    impl_->drop_towers();
}

void Engine::release_towers() {
    const std::lock_guard lock(impl_->mutex);
    impl_->drop_towers();
}

int64_t Engine::rows_that_fit(int64_t rows, bool logits, int64_t context) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->rows_that_fit(std::max<int64_t>(rows, 1), logits, context, *impl_->size);
}

std::vector<StepTime> Engine::time_steps(const std::function<void()>& work) {
    steps::TimedSteps timed(*impl_->steps);
    const auto run_on = [&](steps::Steps* s) {
        const std::lock_guard lock(impl_->mutex);
        impl_->timed = s;
    };
    run_on(&timed);
    struct Restore {  // also when `work` throws
        const std::function<void()> f;
        ~Restore() { f(); }
    };
    {
        const Restore restore{[&] { run_on(nullptr); }};
        work();
    }
    std::vector<StepTime> times;
    for (const steps::StepSeconds& t : timed.times()) times.push_back({std::string(t.name), t.seconds, t.calls});
    return times;
}

Result<std::unique_ptr<Session>> Engine::new_session(const SessionOptions& options) {
    if (options.context_tokens < 0) {
        return fail(Code::bad_argument, "context of %lld tokens: expected 1 or more, or 0 for the model's own %lld",
                    static_cast<long long>(options.context_tokens), static_cast<long long>(impl_->config.context_length));
    }
    if (options.context_tokens > impl_->config.context_length) {
        return fail(Code::bad_argument, "context of %lld tokens: the model was made for %lld at most", static_cast<long long>(options.context_tokens),
                    static_cast<long long>(impl_->config.context_length));
    }
    if (options.chunk_tokens < 1) {
        return fail(Code::bad_argument, "chunks of %lld tokens: expected 1 or more", static_cast<long long>(options.chunk_tokens));
    }
    return within_memory(*impl_, [&]() -> Result<std::unique_ptr<Session>> {
        std::shared_ptr<const Slice> size = impl_->size;
        if (!options.size.empty()) {
            ASSIGN(Slice own, find_size(options.size));
            size = std::make_shared<const Slice>(std::move(own));
        }
        SessionOptions chosen = options;
        runtime::Budget::Share share;
        if (impl_->budget.limited()) {
            const std::lock_guard lock(impl_->mutex);
            ASSIGN(const MemoryPlan plan, impl_->planner->plan({.context_tokens = options.context_tokens, .chunk_tokens = options.chunk_tokens}, impl_->budget.sessions(), size.get()));
            chosen.context_tokens = plan.context_tokens;
            chosen.chunk_tokens = plan.chunk_tokens;
            share = {impl_->budget, impl_->planner->kv(plan.context_tokens, plan.chunk_tokens, runtime::kv_type(impl_->options))};
        }
        std::unique_ptr<Session> session(new Session);
        session->impl_ = std::make_unique<Session::Impl>(shared_from_this(), chosen, std::move(size), std::move(share));
        return session;
    });
}

}  // namespace gemma3n
