// From logits to the next id. Order as in transformers: temperature, top_k, top_p, min_p. The final soft cap is monotone, so the
// sampler takes raw logits and caps only the candidates that survive top_k.
#pragma once

#include "gemma3n/options.h"
#include "model/config.h"

#include <cstdint>
#include <span>
#include <vector>

namespace gemma3n::runtime {

// Ids that are never sampled: rows of the published Gemma 3n vocabulary that hold no text (padding, media marks and everything from
// per_layer_vocab on). Empty for any other vocabulary.
std::vector<bool> masked_ids(const model::Config& config);

class Sampler {
public:
    Sampler(const SamplingOptions& options, float softcap, const std::vector<bool>& masked);
    // Next id from raw (not capped) logits. Greedy takes the lowest id among equals.
    int operator()(std::span<const float> logits);

private:
    struct Candidate {
        int id;
        float logit;
    };
    void collect(std::span<const float> logits);  // unmasked candidates, the best top_k of them, sorted best first
    double uniform();                              // [0, 1)

    SamplingOptions o_;
    float softcap_;
    const std::vector<bool>& masked_;
    uint64_t state_;
    std::vector<Candidate> candidates_;
    std::vector<double> p_;
};

}  // namespace gemma3n::runtime
