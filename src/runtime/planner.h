// Memory on paper: what the parts of an engine keep, and what fits a limit. Bound weights are views, so that nothing of them is read.
#pragma once

#include "format/checkpoint.h"
#include "gemma3n/plan.h"
#include "media/footprint.h"
#include "model/cache/cache.h"
#include "model/slice_pages.h"
#include "model/text/scratch.h"
#include "runtime/kv_type.h"
#include "runtime/towers.h"

#include <algorithm>
#include <functional>

namespace gemma3n::runtime {

inline constexpr int64_t least_chunk = 16;    // prompt tokens of a step: fewer gain little memory and cost much time
inline constexpr int64_t context_step = 256;  // of contexts that are chosen
inline constexpr int64_t default_frame_side = 256; // of videos
inline constexpr int64_t least_context = 512; // that is chosen by itself

std::string gigabytes(uint64_t bytes);  // "1.234 GB"

// Of an encoder's arena: the tower's, and the rows that it makes.
uint64_t vision_scratch(const model::VisionTower& tower, int64_t side, int n_threads, const EngineOptions& options);
uint64_t audio_scratch(const model::AudioTower& tower, int n_threads, const EngineOptions& options);

class Planner {
public:
    // All must outlive it.
    Planner(const EngineOptions& options, const format::Checkpoint& checkpoint, const model::Config& config, const model::Weights& weights, Towers& towers, int n_threads);

    // ---- parts ----
    uint64_t idle() const { return fixed() + media::Footprint::now(); }      // an engine that does nothing, beside what decodes for it now
    uint64_t requests() const;                                               // of one answer: ids, logits, the sampler's candidates
    uint64_t weights(const Slice& slice) const;                              // that its steps read, and what is mapped along with it
    uint64_t kv(int64_t context, int64_t chunk, DType type) const;           // of one session, of any size
    uint64_t scratch(const Slice& slice, const model::StepShape& shape) const { return model::step_scratch_bytes(config_, weights_, slice, shape); }
    model::StepShape step(int64_t rows, int64_t wanted, int64_t context) const;
    Result<uint64_t> vision(int64_t side) const;                             // weights, scratch and pixels
    Result<uint64_t> audio() const;
    uint64_t soft(const MemoryNeeds& needs) const;                           // tokens of pictures and clips, as they are kept

    // ---- plans ----
    // Without a limit, what is asked for; under one, what fits beside `others`: bytes of sessions that are there already.
    // `slice` (may be null) is the size, in place of a name.
    Result<MemoryPlan> plan(const MemoryNeeds& needs, uint64_t others = 0, const Slice* slice = nullptr) const;
    // The best size of those below `than` for which fits() holds, where they are listed; empty: none.
    std::string smaller_size(const Slice& than, const std::function<bool(const Slice&)>& fits) const;
    // The slice that needs.size or the options name, "fit" resolved.
    Result<Slice> size(const MemoryNeeds& needs, double* tokens_per_s = nullptr) const;
    // The largest side below `side` that the vision tower takes and that fits; 0 = none does.
    int64_t largest_side(int64_t side, const std::function<bool(int64_t)>& fits) const;

private:
    struct Choice {
        int64_t context, chunk, side;
        KvType kv;
        uint64_t others;  // bytes of other sessions
        const Slice* slice;
        uint64_t weights; // of the slice, or of the one that reads prompts, if that is more
        const Slice* prefill = nullptr;  // which; null: the slice itself
    };
    Result<Slice> prefill(const MemoryNeeds& needs, const Slice& slice) const;  // that reads prompts
    Choice in_size(Choice choice, const Slice& slice) const;                    // with its weights
    Result<uint64_t> tower(const MemoryNeeds& needs, int64_t side) const;       // the larger of those that are needed
    uint64_t scratch(const Choice& choice) const;                               // of the larger size
    uint64_t fixed() const { return program_ + tokenizer_ + vectors_; }
    uint64_t decoders(const MemoryNeeds& needs) const { return std::max(needs.decoder_bytes, media::Footprint::now()); }
    bool room_for_attachments(MemoryNeeds& needs) const;                        // added; false: the model takes none
    Result<MemoryPlan> plan_of(const MemoryNeeds& needs, uint64_t others, const Slice* slice) const;
    Result<MemoryPlan> lay_out(const MemoryNeeds& needs, const Choice& choice) const;
    Result<MemoryPlan> fit(const MemoryNeeds& needs, uint64_t others, const Slice& slice) const;  // over_budget if nothing does
    double bytes_per_token(const Slice& slice, int64_t context) const;  // that an answer's token reads, keys and values included
    std::vector<Slice> best_first() const;  // the listed sizes
    Error refusal(const MemoryNeeds& needs, const Choice& smallest, uint64_t bytes) const;
    uint64_t always(const Choice& choice) const;      // whatever is done: the program, requests and sessions; less soft tokens and decoders
    uint64_t text_bytes(const Choice& choice) const;  // likewise

    struct Weighed {
        Slice slice;
        uint64_t resident = 0, read = 0;
    };
    Weighed weighed(const Slice& slice) const;

    mutable std::vector<Weighed> known_;  // few sizes are asked for, and each many times
    const EngineOptions& options_;
    const format::Checkpoint& checkpoint_;
    const model::Config& config_;
    const model::Weights& weights_;
    Towers& towers_;
    int n_threads_;
    uint64_t program_ = 0, tokenizer_ = 0, vectors_ = 0, head_ = 0, per_layer_ = 0;
};

}  // namespace gemma3n::runtime
