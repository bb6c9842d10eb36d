#include "runtime/planner.h"

#include "base/cpu.h"
#include "gemma3n/media.h"
#include "model/residency.h"

#include <algorithm>
#include <filesystem>

namespace gemma3n::runtime {

namespace {

// What the program and its libraries held before it began, and room for the heaps and stacks of an engine that has done nothing yet:
// 14 MB in all were measured without the libraries that media are decoded with, and are taken at least.
const uint64_t at_start = resident_bytes();
constexpr uint64_t heap_bytes = 10000000, least_program = 14000000;
constexpr uint64_t entry_bytes = 76;          // of the vocabulary, in the tokenizer
constexpr uint64_t mapped_around = 64 << 10;  // a touched page brings those around it that are cached, so much at a time (Linux, fault-around)

// Bytes before the first tensor of a GGUF: its keys and its tokens, read at load and looked up by the tokenizer.
uint64_t header_bytes(const format::Checkpoint& c) {
    uint64_t first = c.files().empty() ? 0 : c.files()[0]->size();
    for (const format::TensorInfo& t : c.tensors())
        if (t.file == 0) first = std::min(first, t.offset);
    return first;
}

// Of the ranges that are read, with what comes along.
uint64_t resident_bytes(const model::SlicePages& pages, const format::Checkpoint& checkpoint) {
    uint64_t n = 0, done = 0;
    int file = -1;
    for (const model::PageRange& r : pages.ranges) {
        if (r.file != file) done = 0;
        file = r.file;
        const uint64_t begin = std::max(r.begin / mapped_around * mapped_around, done);
        const uint64_t end = std::min((r.end + mapped_around - 1) / mapped_around * mapped_around, checkpoint.files()[static_cast<size_t>(r.file)]->size());
        if (end > begin) n += end - begin;
        done = std::max(done, end);
    }
    return n;
}

}  // namespace

std::string gigabytes(uint64_t n) { return text("%.3f GB", static_cast<double>(n) / 1e9); }

Planner::Planner(const EngineOptions& options, const format::Checkpoint& checkpoint, const model::Config& config, const model::Weights& weights, Towers& towers, int n_threads)
    : options_(options), checkpoint_(checkpoint), config_(config), weights_(weights), towers_(towers), n_threads_(n_threads), program_(std::max(at_start + heap_bytes, least_program)),
      tokenizer_(entry_bytes * static_cast<uint64_t>(config.vocab)), vectors_(weights.owned.bytes()) {
    if (checkpoint.container() == format::Container::gguf) {
        tokenizer_ += header_bytes(checkpoint);
    } else {  // its text is kept: pieces are views of it
        std::error_code ec;
        const auto json = std::filesystem::file_size(checkpoint.path() + "/tokenizer.json", ec);
        if (!ec) tokenizer_ += json;
    }
    for (const model::ClassBytes& b : model::bytes_by_class(checkpoint, config)) {
        if (b.tensor_class == model::TensorClass::head) head_ = b.resident_bytes;
        if (b.tensor_class == model::TensorClass::per_layer) per_layer_ = b.file_bytes;
    }
}

Planner::Weighed Planner::weighed(const Slice& slice) const {
    for (const Weighed& w : known_)
        if (model::same_network(w.slice, slice)) return w;
    const model::SlicePages pages = model::pages_of(checkpoint_, config_, slice);
    if (known_.size() > 64) known_.clear();
    return known_.emplace_back(Weighed{slice, resident_bytes(pages, checkpoint_), pages.read_bytes});
}

uint64_t Planner::weights(const Slice& slice) const { return weighed(slice).resident; }

// ids, the session's copy of logits, candidates and probabilities of the sampler
uint64_t Planner::requests() const { return static_cast<uint64_t>(config_.vocab) * (sizeof(float) + 16) + (2u << 20); }

uint64_t Planner::kv(int64_t context, int64_t chunk, DType type) const {
    return model::Cache::most_bytes(config_, {.type = type}, context, chunk, context > chunk);
}

model::StepShape Planner::step(int64_t rows, int64_t wanted, int64_t context) const {
    return {std::min(rows, context), wanted, context, model::CacheLayout{}.page_tokens, n_threads_, options_.activations == Activations::f32};
}

static uint64_t tower_weights(const format::Checkpoint& towers, const model::Config& config, model::TensorClass c) {
    for (const model::ClassBytes& b : model::bytes_by_class(towers, config))
        if (b.tensor_class == c) return b.resident_bytes;
    return 0;
}

Result<uint64_t> Planner::vision(int64_t side) const {
    ASSIGN(const auto tower, towers_.vision());
    TRY(tower->check_side(side));
    const uint64_t pixels = 3 * static_cast<uint64_t>(side * side) * (sizeof(float) + 1);  // as numbers, and resized
    const uint64_t soft = static_cast<uint64_t>(tower->n_tokens() * config_.hidden) * sizeof(float);
    return tower_weights(*towers_.checkpoint(), config_, model::TensorClass::vision) + tower->owned_bytes() + vision_scratch(*tower, side, n_threads_, options_) + pixels + soft;
}

Result<uint64_t> Planner::audio() const {
    ASSIGN(const auto tower, towers_.audio());
    return tower_weights(*towers_.checkpoint(), config_, model::TensorClass::audio) + tower->owned_bytes() + audio_scratch(*tower, n_threads_, options_) +
           tower->stream_bytes(towers_.clip_samples()) + 2 * static_cast<uint64_t>(towers_.config().audio.n_tokens * config_.hidden) * sizeof(float) + static_cast<uint64_t>(towers_.clip_samples()) * sizeof(float);
}

uint64_t vision_scratch(const model::VisionTower& tower, int64_t side, int n_threads, const EngineOptions& options) {
    const bool exact = options.activations == Activations::f32;
    return static_cast<uint64_t>(tower.n_tokens() * tower.width()) * sizeof(float) + 64 + tower.scratch_bytes(side, n_threads, exact);
}

uint64_t audio_scratch(const model::AudioTower& tower, int n_threads, const EngineOptions& options) {
    return tower.scratch_bytes(n_threads, options.activations == Activations::f32);
}

Result<uint64_t> Planner::tower(const MemoryNeeds& needs, int64_t side) const {
    uint64_t most = 0;
    if (side > 0) {
        ASSIGN(most, vision(side));
    }
    if (needs.sound) {
        ASSIGN(const uint64_t bytes, audio());
        most = std::max(most, bytes);
    }
    return most;
}

uint64_t Planner::soft(const MemoryNeeds& needs) const {
    int64_t tokens = needs.pictures * towers_.config().vision.n_tokens;
    if (needs.sound && needs.clips > 0) {
        const double shortest = static_cast<double>(towers_.clip_samples()) / static_cast<double>(sound_rate) * 2 / 3;  // of clips that are cut
        tokens += (needs.clips + static_cast<int64_t>(needs.sound_seconds / shortest)) * towers_.config().audio.n_tokens;
    }
    return static_cast<uint64_t>(tokens * config_.hidden) * sizeof(float);
}

uint64_t Planner::scratch(const Choice& c) const {
    const model::StepShape shape = step(c.chunk, 1, c.context);
    return std::max(scratch(*c.slice, shape), c.prefill ? scratch(*c.prefill, shape) : 0);
}

uint64_t Planner::always(const Choice& c) const { return fixed() + requests() + c.others + kv(c.context, c.chunk, dtype(c.kv)); }

uint64_t Planner::text_bytes(const Choice& c) const { return always(c) + c.weights + scratch(c); }

}  // namespace gemma3n::runtime
