// Slices at the public face: what a model offers, and the change of a session's.
#include "base/result.h"
#include "model/slice_pages.h"
#include "model/slices.h"
#include "runtime/engine_impl.h"

#include <utility>

namespace gemma3n {

static SizeInfo weighed(const Engine::Impl& e, const model::ListedSlice& listed) {
    const model::SlicePages pages = model::pages_of(*e.checkpoint, e.config, listed.slice);
    return {listed.slice, listed.billions, listed.mmlu, pages.parameters, pages.read_bytes, pages.prompt_products, pages.bytes()};
}

std::vector<SizeInfo> Engine::sizes() const {
    std::vector<SizeInfo> out;
    for (const model::ListedSlice& s : model::listed_slices(impl_->config)) {
        if (model::check_slice(impl_->config, *impl_->checkpoint, s.slice, "")) out.push_back(weighed(*impl_, s));
    }
    return out;
}

Result<Slice> Engine::find_size(const std::string& name) const {
    return within_memory(*impl_, [&] { return model::find_slice(impl_->config, *impl_->checkpoint, name); });
}

Result<SizeInfo> Engine::size_info(const Slice& slice) const {
    TRY(model::check_slice(impl_->config, *impl_->checkpoint, slice, text("size '%s'", shown(slice.name).c_str())));
    return weighed(*impl_, {slice, 0, 0});
}

const Slice& Session::size() const { return *impl_->size; }

Status Session::set_size(const Slice& slice, const SizeOptions& options) {
    const auto changed = within_memory(impl_->e(), [&]() -> Result<bool> {
        TRY(impl_->set_size(slice, options));
        return true;
    });
    return changed ? Status{} : changed.error();
}

Status Session::set_size(const std::string& name, const SizeOptions& options) {
    ASSIGN(const Slice slice, impl_->engine->find_size(name));
    return set_size(slice, options);
}

Status Session::Impl::check_shares_cache(const Slice& slice, const char* remedy) {
    const model::Config& c = e().config;
    if (model::shares_cache(c, slice, *size)) return {};
    int layer = 0;
    while (!c.owns_kv(layer) || model::keeps(slice, layer) == model::keeps(*size, layer)) layer++;
    const bool missing = model::keeps(slice, layer);
    return fail(Code::bad_argument, "size '%s' %s layer %d and size '%s' %s it: keys and values serve only slices that keep the same of the layers that own them; %s", shown(slice.name).c_str(),
                missing ? "keeps" : "skips", layer, shown(size->name).c_str(), missing ? "skips" : "keeps", remedy);
}

Status Session::Impl::set_size(Slice slice, const SizeOptions& o) {
    TRY(model::check_slice(e().config, *e().checkpoint, slice, text("size '%s'", shown(slice.name).c_str())));
    const bool holds_nothing = cache.length() == 0 && !feeding;
    if (!holds_nothing && !o.reprocess) TRY(check_shares_cache(slice, "the tokens so far can be processed again"));
    if (e().budget.limited()) {
        const std::lock_guard lock(e().mutex);
        if (e().scratch_allowed(slice) < e().planner->scratch(slice, e().planner->step(1, 1, context))) {
            const std::string fits = e().planner->smaller_size(slice, [&](const Slice& s) { return e().scratch_allowed(s) >= e().planner->scratch(s, e().planner->step(1, 1, context)); });
            return fail(Code::over_budget, "size '%s' does not fit beside the conversation: the limit is %.3f GB%s", shown(slice.name).c_str(), static_cast<double>(e().budget.limit()) / 1e9,
                        fits.empty() ? "" : text(": what fits is size %s", shown(fits).c_str()).c_str());
        }
    }
    auto next = std::make_shared<const Slice>(std::move(slice));
    if (model::shares_cache(e().config, *next, *size)) {
        size = std::move(next);
    } else if (holds_nothing) {
        model::Cache empty = new_cache(*next);
        std::swap(cache, empty);
        size = std::move(next);
    } else {
        TRY(process_again(std::move(next), o));
    }
    if (!o.release) return {};
    const std::lock_guard lock(e().mutex);
    const format::Checkpoint& checkpoint = *e().checkpoint;
    model::release_rest(checkpoint, model::pages_of(checkpoint, e().config, model::whole(e().config)), model::pages_of(checkpoint, e().config, *size));
    return {};
}

Status Session::Impl::process_again(std::shared_ptr<const Slice> next, const SizeOptions& o) {
    if (feeding) return fail(Code::bad_argument, "size '%s' needs the tokens so far processed again, and a prompt is being processed: expected the change before or after it", shown(next->name).c_str());
    const std::vector<runtime::InputRow>* known = past.rows();
    if (!known) return fail(Code::bad_argument, "size '%s' needs the tokens so far processed again, and some came as vectors of the caller: expected a new session", shown(next->name).c_str());
    std::vector<runtime::InputRow> rows = *known;
    {
        const std::lock_guard lock(e().mutex);
        TRY(runtime::complete_rows(rows, e().config.vocab, *e().towers, e().context(e().towers->scratch())));
    }
    runtime::Budget::Share second;  // of the new cache, while both are there
    {
        const std::lock_guard lock(e().mutex);
        TRY(check_second_fits(*next));
        second = share;
    }
    struct Undo {  // unless all goes well, the session is what it was
        Impl& s;
        model::Cache cache;
        runtime::Past past;
        std::shared_ptr<const Slice> size;
        bool done = false;
        ~Undo() {
            std::swap(s.past, past);  // in any case: with what it keeps alive
            if (done) return;
            std::swap(s.cache, cache);
            std::swap(s.size, size);
        }
    } undo{*this, new_cache(*next), {}, std::move(next)};
    std::swap(cache, undo.cache);
    std::swap(size, undo.size);
    std::swap(past, undo.past);
    ASSIGN(const bool fed, feed(rows, {.progress = o.progress}));
    if (!fed) return fail(Code::cancelled, "processing %zu tokens again was cancelled", rows.size());
    undo.done = true;
    return {};
}

}  // namespace gemma3n
