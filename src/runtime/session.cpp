#include "gemma3n/session.h"

#include "base/cpu.h"
#include "base/result.h"
#include "runtime/engine_impl.h"
#include "runtime/planner.h"
#include "runtime/sampler.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace gemma3n {

static double seconds_since(std::chrono::steady_clock::time_point t) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
}

Session::Session() = default;
Session::~Session() = default;

Session::Impl::Impl(std::shared_ptr<Engine> shared, const SessionOptions& o, std::shared_ptr<const Slice> s, runtime::Budget::Share admitted)
    : engine(std::move(shared)), options(o), context(o.context_tokens > 0 ? o.context_tokens : engine->impl().config.context_length), share(std::move(admitted)), size(std::move(s)), cache(new_cache(*size)) {}

model::Cache Session::Impl::new_cache(const Slice& slice) { return {e().config, {.type = runtime::kv_type(e().options)}, &slice}; }

int64_t Session::n_tokens() const { return impl_->cache.length(); }
int64_t Session::context_tokens() const { return impl_->context; }

// The run that the next tokens belong to.
static SizeRun& run_of(std::vector<SizeRun>& sizes, const std::string& name) {
    if (sizes.empty() || sizes.back().size != name) sizes.emplace_back().size = name;
    return sizes.back();
}

Result<bool> Session::Impl::feed(std::span<const runtime::InputRow> rows, const Feed& how) {
    const int64_t n = static_cast<int64_t>(rows.size()), vocab = e().config.vocab;
    if (n == 0) return fail(Code::bad_argument, "no tokens to process: expected at least one");
    if (n > context) {
        return fail(Code::context_full, "%lld tokens do not fit: the context has room for %lld", static_cast<long long>(n), static_cast<long long>(context));
    }
    if (cache.length() + n > context) {
        return fail(Code::context_full, "%lld tokens do not fit: the context has room for %lld and %lld are used", static_cast<long long>(n),
                    static_cast<long long>(context), static_cast<long long>(cache.length()));
    }
    past.make_room(rows.size());
    struct Undo {  // unless all goes well, the cache is what it was
        Impl& s;
        std::optional<model::Cache> before;  // pages are shared: this costs a few copies of tail pages, and only for prompts of several steps
        ~Undo() {
            s.feeding = false;
            if (before) std::swap(s.cache, *before);
        }
    } undo{*this, {}};
    feeding = true;
    const bool apart = how.prefill && n > 1;  // the last row is a step of its own
    if (n > options.chunk_tokens || apart) undo.before = cache.fork();
    for (int64_t done = 0; done < n;) {
        if (how.progress && n > 1 && !how.progress(done, n)) return false;
        const bool prefill = apart && done < n - 1;
        const std::shared_ptr<const Slice> slice = prefill ? how.prefill : size;
        model::Batch batch;
        batch.caches = {&cache};
        batch.slice = slice.get();
        const std::lock_guard lock(e().mutex);
        const int64_t m = e().rows_that_fit(std::min(options.chunk_tokens, (prefill ? n - 1 : n) - done), false, context, *slice);
        for (int64_t i = 0; i < m; i++) {
            const runtime::InputRow& r = rows[done + i];
            batch.rows.push_back({0, cache.length() + i, r.id, r.embedding, how.logits && done + i == n - 1});
        }
        const auto start = std::chrono::steady_clock::now();
        ASSIGN(const View logits, e().forward(batch, {.cap_logits = how.cap_logits}));
        done += m;
        if (how.logits && done == n) how.logits({logits.f32(), static_cast<size_t>(vocab)});
        if (!how.sizes) continue;
        SizeRun& run = run_of(*how.sizes, slice->name);
        run.prompt_tokens += m;
        run.prefill_s += seconds_since(start);
    }
    undo.before.reset();
    past.push(rows);
    if (how.progress && n > 1) how.progress(n, n);
    return true;
}

Result<Answer> Session::Impl::generate(const Prompt& prompt, const GenerateOptions& o) {
    const model::Config& config = e().config;
    const SamplingOptions& s = o.sampling;
    if (!(s.temperature >= 0) || s.top_k < 0 || !(s.top_p >= 0 && s.top_p <= 1) || !(s.min_p >= 0 && s.min_p <= 1)) {
        return fail(Code::bad_argument, "temperature %g, top_k %d, top_p %g, min_p %g: expected the first two from 0 up, the others from 0 to 1",
                    static_cast<double>(s.temperature), s.top_k, static_cast<double>(s.top_p), static_cast<double>(s.min_p));
    }
    if (o.max_tokens < -1) {
        return fail(Code::bad_argument, "%lld tokens at most: expected 0 or more, or -1 for no limit", static_cast<long long>(o.max_tokens));
    }
    std::shared_ptr<const Slice> prefill;
    if (!o.prefill_size.empty()) {
        ASSIGN(Slice slice, engine->find_size(o.prefill_size));
        TRY(check_shares_cache(slice, "a prompt can be read only by a size whose keys and values the other reads"));
        prefill = std::make_shared<const Slice>(std::move(slice));
    }
    ASSIGN(const auto rows, e().rows_of(pending, prompt));
    runtime::Sampler sampler(o.sampling, config.final_softcap, e().masked);
    std::optional<tokens::Detokenizer> detokenizer;
    if (e().tokenizer) detokenizer.emplace(*e().tokenizer);

    const PoolAwake awake(*e().pool);
    Answer a;
    a.timing.prompt_tokens = static_cast<int64_t>(rows.size());
    const auto start = std::chrono::steady_clock::now();
    int id = 0;
    bool sound = true;
    const auto sample = [&](std::span<const float> logits) {
        id = sampler(logits);
        sound = logits[static_cast<size_t>(id)] > -INFINITY;  // of no number at all the sampler makes id 0
    };
    const bool wanted = o.max_tokens != 0;
    Feed how{.cap_logits = false, .progress = o.prefill_progress, .prefill = prefill, .sizes = &a.sizes};
    if (wanted) how.logits = sample;
    past.make_room_for(prompt.media);
    ASSIGN(const bool fed, feed(rows, how));
    a.timing.prefill_s = seconds_since(start);
    a.timing.peak_resident_bytes = peak_resident_bytes();
    if (!fed) {
        a.finish = Finish::cancelled;
        return a;
    }
    past.keep(prompt.media);
    pending.clear();
    if (!wanted) {
        a.finish = Finish::max_tokens;
        return a;
    }
    const auto first = std::chrono::steady_clock::now();
    for (;;) {
        if (!sound) {
            return fail(Code::bad_file, "%s: no token's logit after %lld tokens is a number: its weights, or what they make, are not finite",
                        e().info.path.c_str(), static_cast<long long>(cache.length()));
        }
        if (o.stop_at_eos && std::find(config.eos.begin(), config.eos.end(), id) != config.eos.end()) {
            a.finish = Finish::eos;
            break;
        }
        a.ids.push_back(id);
        a.sizes.back().generated_tokens++;
        pending = {id};
        const std::string text = detokenizer ? detokenizer->add(id) : "";
        a.text += text;
        if (o.on_text && !o.on_text(text, id)) {
            a.finish = Finish::cancelled;
            break;
        }
        if (o.max_tokens >= 0 && static_cast<int64_t>(a.ids.size()) >= o.max_tokens) {
            a.finish = Finish::max_tokens;
            break;
        }
        if (cache.length() >= context) {
            a.finish = Finish::context_full;
            break;
        }
        const auto step = std::chrono::steady_clock::now();
        ASSIGN(const auto row, e().rows_of({&id, 1}, {}));
        ASSIGN([[maybe_unused]] const bool more, feed(row, {.cap_logits = false, .logits = sample}));
        pending.clear();
        run_of(a.sizes, size->name).decode_s += seconds_since(step);
    }
    a.timing.decode_s = seconds_since(first);
    a.timing.generated_tokens = static_cast<int64_t>(a.ids.size());
    a.timing.peak_resident_bytes = peak_resident_bytes();
    if (detokenizer) {
        const std::string rest = detokenizer->finish();
        a.text += rest;
        if (!rest.empty() && o.on_text && a.finish != Finish::cancelled) o.on_text(rest, id);
    }
    return a;
}

Result<Answer> Session::generate(const Prompt& prompt, const GenerateOptions& options) {
    return within_memory(impl_->e(), [&] { return impl_->generate(prompt, options); });
}

Result<Answer> Session::generate(std::span<const int> ids, const GenerateOptions& options) {
    return generate(Prompt{{ids.begin(), ids.end()}, {}}, options);
}

Result<Answer> Session::complete(const std::vector<Part>& parts, const GenerateOptions& options) {
    ASSIGN(const Prompt prompt, impl_->engine->text_prompt(parts, impl_->fresh()));
    return generate(prompt, options);
}

Result<Answer> Session::complete(const std::string& text, const GenerateOptions& options) { return complete({Part{text, nullptr}}, options); }

Result<Answer> Session::chat(const std::vector<Part>& user, const GenerateOptions& options, const std::string& system) {
    ASSIGN(const tokens::Tokenizer* t, impl_->e().need_tokenizer());
    const bool fresh = impl_->fresh();
    if (!fresh && !system.empty()) return fail(Code::bad_argument, "a system text in the middle of a conversation: expected only at its start");
    const int64_t before = n_tokens();
    auto answer = within_memory(impl_->e(), [&]() -> Result<Answer> {
        std::vector<ChatMessage> messages;
        if (!system.empty()) messages.push_back({"system", system, {}});
        messages.push_back({"user", "", user});
        ASSIGN(Prompt prompt, runtime::chat_prompt(*t, impl_->e().towers->config().ids, messages, true, fresh));
        if (impl_->turn_open) {  // the model's last turn ends the way the template ends it
            const std::vector<int> end = t->encode("<end_of_turn>\n", {.parse_special = true});
            prompt.ids.insert(prompt.ids.begin(), end.begin(), end.end());
        }
        return impl_->generate(prompt, options);
    });
    if (n_tokens() > before) impl_->turn_open = true;  // also when the answer broke off
    return answer;
}

Result<Answer> Session::chat(const std::string& user, const GenerateOptions& options, const std::string& system) {
    return chat({Part{user, nullptr}}, options, system);
}

Result<std::span<const float>> Session::append(const Prompt& prompt, const std::function<bool(int64_t, int64_t)>& progress) {
    return within_memory(impl_->e(), [&]() -> Result<std::span<const float>> {
        ASSIGN(const auto rows, impl_->e().rows_of(impl_->pending, prompt));
        impl_->logits.resize(static_cast<size_t>(impl_->e().config.vocab));  // before the step: nothing may fail after it
        const PoolAwake awake(*impl_->e().pool);
        const auto copy = [&](std::span<const float> last) { std::copy(last.begin(), last.end(), impl_->logits.begin()); };  // the engine's scratch is the next session's
        impl_->past.make_room_for(prompt.media);
        ASSIGN(const bool fed, impl_->feed(rows, {.progress = progress, .logits = copy}));
        if (!fed) return fail(Code::cancelled, "processing %zu tokens was cancelled", rows.size());
        impl_->past.keep(prompt.media);
        impl_->pending.clear();
        return std::span<const float>(impl_->logits);
    });
}

Result<std::span<const float>> Session::append(std::span<const int> ids, const std::function<bool(int64_t, int64_t)>& progress) {
    return append(Prompt{{ids.begin(), ids.end()}, {}}, progress);
}

Status Session::Impl::check_second_fits(const Slice& slice) {
    Engine::Impl& engine_of = e();
    if (!engine_of.budget.limited() || share.bytes() + engine_of.planner->scratch(slice, engine_of.planner->step(1, 1, context)) <= engine_of.scratch_allowed(slice)) return {};
    return fail(Code::over_budget, "%s: a second session of %lld tokens does not fit the limit", engine_of.info.path.c_str(), static_cast<long long>(context));
}

Result<std::unique_ptr<Session>> Session::fork() {
    return within_memory(impl_->e(), [&]() -> Result<std::unique_ptr<Session>> {
        const std::lock_guard lock(impl_->e().mutex);
        TRY(impl_->check_second_fits(*impl_->size));
        std::unique_ptr<Session> other(new Session);
        other->impl_ = std::make_unique<Impl>(*impl_);
        return other;
    });
}

Status Session::rollback(int64_t n) {
    TRY(impl_->cache.rollback(n));
    impl_->past.shorten(static_cast<size_t>(n));
    impl_->pending.clear();
    if (n == 0) impl_->turn_open = false;
    return {};
}

void Session::clear() {
    impl_->cache.clear();
    impl_->past.shorten(0);
    impl_->pending.clear();
    impl_->turn_open = false;
}

}  // namespace gemma3n
