// perplexity: how well a model foretells a text, and how far it is from a reference run.
#include "measure/perplexity.h"

#include "base/file.h"
#include "base/result.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/progress.h"

namespace gemma3n::cli {

namespace {

constexpr double shares[] = {0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 0.999};

void json(const measure::Perplexity& p, const PerplexityOptions& o, const ModelInfo& m, const std::string& size) {
    Json j;
    j.add("perplexity", p.value()).add("error", p.error()).add("mean_nll", p.log().value).add("mean_nll_error", p.log().error);
    j.add("tokens", p.n_tokens).add("scored", static_cast<int64_t>(p.nll.size())).add("windows", p.n_windows).add("n_ctx", o.n_ctx).add("stride", o.stride);
    j.add("model", m.path).add("size", size).add("activations", o.model.activations).add("kernels", m.kernels).add("cpu", m.cpu);
    if (const auto& d = p.divergence) {
        Json k;
        k.add("mean_kl", d->kl.value).add("mean_kl_error", d->kl.error).add("min_kl", d->sorted_kl.front()).add("max_kl", d->sorted_kl.back());
        Json percentiles;
        for (const double s : shares) percentiles.add(text("%g", s * 100), measure::quantile(d->sorted_kl, s));
        k.raw("kl_percentiles", percentiles.str()).add("same_top", d->same_top).add("reference_perplexity", d->reference_perplexity);
        k.add("perplexity_ratio", d->ratio).add("perplexity_ratio_error", d->ratio_error).add("reference", o.against);
        j.raw("against", k.str());
    }
    j.raw("window_nll", json_list(p.window_nll));
    printf("%s\n", j.str().c_str());
}

void table(const measure::Perplexity& p, const PerplexityOptions& o) {
    printf("perplexity       %.4f +- %.4f\n", p.value(), p.error());
    printf("windows          %lld of %lld tokens, %zu scored (the text has %lld)\n", static_cast<long long>(p.n_windows), static_cast<long long>(o.n_ctx), p.nll.size(), static_cast<long long>(p.n_tokens));
    const auto& d = p.divergence;
    if (!d) return;
    printf("reference        %.4f (%s)\n", d->reference_perplexity, o.against.c_str());
    printf("ratio            %.6f +- %.6f\n", d->ratio, d->ratio_error);
    printf("mean KL          %.6f +- %.6f\n", d->kl.value, d->kl.error);
    for (const double s : shares) printf("  %5g %% below    %.6f\n", s * 100, measure::quantile(d->sorted_kl, s));
    printf("  largest        %.6f\n", d->sorted_kl.back());
    printf("same best token  %.3f %%\n", 100 * d->same_top);
}

}  // namespace

int perplexity(const PerplexityOptions& o) {
    auto file = File::open(o.file);
    if (!file) return report(file.error());
    const std::string content(reinterpret_cast<const char*>((*file)->data()), (*file)->size());
    auto engine = load(o.model, {.context_tokens = o.n_ctx});
    if (!engine) return report(engine.error());
    Progress progress("scoring");
    const auto at = [&](const measure::Perplexity& p) {
        const double done = static_cast<double>(p.window_nll.size()) / static_cast<double>(p.n_windows);
        return progress.at(done, text(", perplexity %.4f", p.value()));
    };
    const auto p = measure::perplexity(**engine, content, {{o.n_ctx, o.stride, o.windows}, o.file, o.save, o.against, at});
    clear_progress();
    if (!p) return report(p.error());
    o.json ? json(*p, o, (*engine)->info(), size_name(**engine)) : table(*p, o);
    return finish_output();
}

}  // namespace gemma3n::cli
