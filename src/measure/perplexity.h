// Perplexity of a text under a model, and its distance from a reference run.
#pragma once

#include "gemma3n/engine.h"
#include "measure/statistics.h"
#include "measure/windows.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gemma3n::measure {

// KL(reference || this model) over whole vocabularies, and what else the pair says. Of the scored positions.
struct Divergence {
    Mean kl;
    std::vector<double> sorted_kl;
    double same_top = 0;             // share of positions whose most probable token is the same
    double reference_perplexity = 0;
    double ratio = 1, ratio_error = 0;  // perplexity here / reference's, from paired differences
};

struct Perplexity {
    int64_t n_tokens = 0, n_windows = 0;
    std::vector<double> window_nll;  // sum over a window's scored positions, natural logarithms, in order; grows while it runs
    std::vector<double> nll;         // of every scored position
    std::optional<Divergence> divergence;  // at the end, when there is a reference

    Mean log() const { return mean(nll); }
    double value() const;
    double error() const;            // standard error, from that of the mean log-likelihood
};

struct PerplexityOptions {
    WindowPlan plan;
    std::string name = "the text";   // in sentences
    std::string save, against;       // a reference run to write, to compare with; empty = none
    std::function<bool(const Perplexity& so_far)> progress;  // after each window; false cancels. May be empty
};

// Memory beside the model: the logits of a piece of a window, 64 MB at most.
Result<Perplexity> perplexity(Engine& engine, const std::string& text, const PerplexityOptions& options);

}  // namespace gemma3n::measure
