#include "runtime/planner.h"

#include "base/cpu.h"
#include "gemma3n/media.h"
#include "model/residency.h"
#include "model/slices.h"
#include "runtime/speed.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <optional>

namespace gemma3n::runtime {

namespace {

// What the program and its libraries held before it began, and room for the heaps and stacks of an engine that has done nothing yet:
// 14 MB in all were measured without the libraries that media are decoded with, and are taken at least.
const uint64_t at_start = resident_bytes();
constexpr uint64_t heap_bytes = 10000000, least_program = 14000000;
constexpr uint64_t start_varies = 1000000;  // from one run to the next, by half of that: what is named to a person works in the next
constexpr uint64_t entry_bytes = 76;          // of the vocabulary, in the tokenizer
constexpr uint64_t mapped_around = 64 << 10;  // a touched page brings those around it that are cached, so much at a time (Linux, fault-around)
constexpr int64_t chunks[] = {512, 256, 128, 64, 32, least_chunk};
constexpr int64_t context_step = 256;     // of contexts that are chosen
constexpr int64_t roomy_context = 4096;   // smaller steps are taken before less than this is offered

std::string gigabytes(uint64_t n) { return text("%.3f GB", static_cast<double>(n) / 1e9); }
long long ll(int64_t v) { return static_cast<long long>(v); }

KvType chosen(const EngineOptions& o) {
    if (o.kv != KvType::automatic) return o.kv;
    return o.activations == Activations::f32 ? KvType::f32 : KvType::f16;
}

DType dtype(KvType t) { return t == KvType::f32 ? DType::f32 : t == KvType::q8 ? DType::q8_0 : DType::f16; }

bool fits_q8(const model::Config& c) { return c.head_dim % info(DType::q8_0).block == 0; }

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

const char* name(KvType type) {
    switch (type) {
        case KvType::f32: return "f32";
        case KvType::f16: return "f16";
        case KvType::q8: return "q8";
        default: return "automatic";
    }
}

DType kv_type(const EngineOptions& o) { return dtype(chosen(o)); }

Status check_kv(const EngineOptions& o, const model::Config& c) {
    if (chosen(o) != KvType::q8 || fits_q8(c)) return {};
    return fail(Code::bad_argument, "keys and values of 8 bit: the model's heads have %lld values, expected a multiple of %d", ll(c.head_dim), info(DType::q8_0).block);
}

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

// ---- plans -----------------------------------------------------------------------------------------------------------

Result<Slice> Planner::prefill(const MemoryNeeds& needs, const Slice& slice) const {
    if (needs.prefill_size.empty()) return slice;
    return model::find_slice(config_, checkpoint_, needs.prefill_size);
}

Planner::Choice Planner::in_size(Choice c, const Slice& slice) const {
    c.slice = &slice;
    c.weights = std::max(weights(slice), c.prefill ? weights(*c.prefill) : 0);
    return c;
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

Result<MemoryPlan> Planner::lay_out(const MemoryNeeds& needs, const Choice& c) const {
    MemoryPlan p;
    p.limit = options_.memory_limit;
    p.context_tokens = c.context;
    p.chunk_tokens = c.chunk;
    p.image_side = c.side;
    p.kv = c.kv;
    p.size = c.slice->name;
    const auto add = [&](const char* what, uint64_t bytes, bool text_too, bool vision, bool audio, std::string note) {
        p.classes.push_back({what, bytes, text_too, vision, audio, std::move(note)});
        if (text_too) p.text_bytes += bytes;
        if (vision) p.vision_bytes += bytes;
        if (audio) p.audio_bytes += bytes;
    };
    const bool pictures = c.side > 0, sound = needs.sound;
    add("program", program_, true, pictures, sound, "code, libraries, heap");
    if (const uint64_t bytes = decoders(needs); bytes > 0) add("decoders", bytes, true, pictures, sound, "of recordings and video");
    add("tokenizer", tokenizer_, true, pictures, sound, text("%lld entries", ll(config_.vocab)));
    add("vectors", vectors_, true, pictures, sound, "norms and coefficients in f32");
    add("requests", requests(), true, pictures, sound, "ids, logits, candidates");
    const Slice& larger = c.prefill && weights(*c.prefill) > weights(*c.slice) ? *c.prefill : *c.slice;
    const uint64_t read = weighed(larger).read;
    add("core weights", read - head_, true, false, false, text("size %s", larger.name.c_str()));
    add("head", head_, true, false, false, "and the table of tokens");
    add("rest of their pages", c.weights - read, true, false, false, "what is mapped with them");
    if (per_layer_ > 0) add("per-layer table", 0, true, false, false, text("%s in the file, read by row", gigabytes(per_layer_).c_str()));
    add("keys and values", kv(c.context, c.chunk, dtype(c.kv)), true, pictures, sound, text("%lld tokens in %s", ll(c.context), name(c.kv)));
    if (c.others > 0) add("other sessions", c.others, true, pictures, sound, "keys and values");
    if (const uint64_t bytes = soft(needs); bytes > 0) add("soft tokens", bytes, true, pictures, sound, "of pictures and sound");
    add("scratch", scratch(c), true, false, false, text("%lld tokens a step", ll(std::min(c.chunk, c.context))));
    if (pictures) {
        ASSIGN(const uint64_t bytes, vision(c.side));
        add("vision tower", bytes, false, true, false, text("pictures of %lld pixels a side", ll(c.side)));
    }
    if (sound) {
        ASSIGN(const uint64_t bytes, audio());
        add("audio tower", bytes, false, false, true, text("clips of %g s", static_cast<double>(towers_.clip_samples()) / static_cast<double>(sound_rate)));
    }
    p.peak_bytes = std::max({p.text_bytes, p.vision_bytes, p.audio_bytes});
    return p;
}

Result<MemoryPlan> Planner::fit(const MemoryNeeds& needs, uint64_t others, const Slice& slice) const {
    const uint64_t limit = options_.memory_limit;
    const KvType kv = chosen(options_);
    const bool fixed = needs.context_tokens > 0;
    const int64_t most = fixed ? needs.context_tokens : config_.context_length, least = fixed ? most : std::min(most, least_context);
    ASSIGN(const Slice reads, prefill(needs, slice));
    ASSIGN(const uint64_t encoding, tower(needs, needs.image_side));
    const uint64_t kept = soft(needs) + decoders(needs);
    const Choice none = in_size({0, 0, needs.image_side, kv, others, &slice, 0, needs.prefill_size.empty() ? nullptr : &reads}, slice);
    const auto with = [&](int64_t context, int64_t chunk) {
        Choice c = none;
        c.context = context;
        c.chunk = chunk;
        return c;
    };
    Choice best = none;
    for (const int64_t size : chunks) {
        if (size > needs.chunk_tokens && size != least_chunk) continue;
        const int64_t chunk = std::min(size, needs.chunk_tokens);
        const auto fits = [&](int64_t context) {
            const Choice c = with(context, chunk);
            return kept + std::max(text_bytes(c), encoding > 0 ? always(c) + encoding : 0) <= limit;
        };
        int64_t context = 0;
        if (fits(most)) {
            context = most;
        } else if (!fixed) {  // the largest multiple that fits
            int64_t low = 0, high = most / context_step;
            while (low < high) {
                const int64_t middle = (low + high + 1) / 2;
                if (fits(middle * context_step)) low = middle;
                else high = middle - 1;
            }
            context = low * context_step;
        }
        if (context >= least && context > best.context) best = with(context, chunk);
        if (best.context >= std::min(most, roomy_context)) break;
    }
    const bool any = best.context > 0;
    if (!any) best = with(least, std::min(least_chunk, needs.chunk_tokens));
    ASSIGN(MemoryPlan p, lay_out(needs, best));
    if (any && p.peak_bytes <= limit) return p;
    return refusal(needs, best, p.peak_bytes);
}

int64_t Planner::largest_side(int64_t side, const std::function<bool(int64_t)>& fits) const {
    const auto tower = towers_.vision();
    if (!tower) return 0;
    const int64_t step = (*tower)->side_multiple();
    for (side = (side - 1) / step * step; side > 0; side -= step)
        if (fits(side)) return side;
    return 0;
}

std::vector<Slice> Planner::best_first() const {
    std::vector<model::ListedSlice> listed = model::listed_slices(config_);
    std::erase_if(listed, [&](const model::ListedSlice& l) { return !model::check_slice(config_, checkpoint_, l.slice, ""); });
    std::vector<std::pair<model::ListedSlice, uint64_t>> found;
    for (auto& l : listed) {
        const uint64_t read = weighed(l.slice).read;
        found.emplace_back(std::move(l), read);
    }
    // by published accuracy where it is known, the whole above all; else by what is read
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        if (a.first.mmlu > 0 && b.first.mmlu > 0) return a.first.mmlu > b.first.mmlu;
        return a.second > b.second;
    });
    std::vector<Slice> out;
    for (auto& w : found) out.push_back(std::move(w.first.slice));
    return out;
}

std::string Planner::smaller_size(const Slice& than, const std::function<bool(const Slice&)>& fits) const {
    const uint64_t most = weights(than);
    for (const Slice& s : best_first())
        if (weights(s) < most && fits(s)) return s.name;
    return "";
}

double Planner::bytes_per_token(const Slice& slice, int64_t context) const {
    constexpr int64_t usual = 512;  // tokens before it
    const int64_t keys = std::min(context > 0 ? context : usual, usual);
    double n = static_cast<double>(weighed(slice).read);
    for (const int layer : slice.layers) {
        const int64_t seen = config_.layers[static_cast<size_t>(layer)].sliding ? std::min(keys, config_.window) : keys;
        n += static_cast<double>(2 * config_.n_kv_heads * seen) * static_cast<double>(row_bytes(kv_type(options_), config_.head_dim));
    }
    return n;
}

Result<Slice> Planner::size(const MemoryNeeds& needs, double* tokens_per_s) const {
    const std::string& name = needs.size.empty() ? options_.size : needs.size;
    if (name.empty()) return model::whole(config_);
    if (name != "fit") return model::find_slice(config_, checkpoint_, name);
    if (options_.memory_limit == 0) return fail(Code::bad_argument, "size 'fit': expected a memory limit that it is to fit");
    const std::vector<Slice> sizes = best_first();
    double speed = 0, fastest = 0;
    if (needs.tokens_per_s > 0) {
        ASSIGN(speed, read_speed(options_, weights_, n_threads_));
    }
    for (const Slice& slice : sizes) {
        if (!fit(needs, 0, slice)) continue;
        const double rate = speed / bytes_per_token(slice, needs.context_tokens);
        if (tokens_per_s) *tokens_per_s = rate;
        if (rate >= needs.tokens_per_s) return slice;
        fastest = std::max(fastest, rate);
    }
    if (fastest > 0) {
        return fail(Code::over_budget, "%s: no size answers %.1f tokens a second here: the fastest that fits the limit reads its weights in time for about %.1f", checkpoint_.path().c_str(), needs.tokens_per_s, fastest);
    }
    return sizes.back();  // its refusal is the answer
}

bool Planner::room_for_attachments(MemoryNeeds& needs) const {
    if (towers_.has_vision()) {
        needs.pictures++;
        if (needs.image_side == 0) needs.image_side = MemoryNeeds::own_side;
    }
    if (towers_.has_audio()) {
        needs.clips++;
        needs.sound = true;
    }
    needs.decoder_bytes = std::max(needs.decoder_bytes, media_support().containers ? video_decoder_bytes : 0);
    return towers_.has_vision() || towers_.has_audio();
}

Result<MemoryPlan> Planner::plan(const MemoryNeeds& asked, uint64_t others, const Slice* slice) const {
    MemoryNeeds needs = asked;
    if (!needs.attachments || !room_for_attachments(needs)) return plan_of(asked, others, slice);
    auto p = plan_of(needs, others, slice);
    if (p) {
        p->attachments = true;
        return p;
    }
    if (p.error().code != Code::over_budget) return p.error();
    ASSIGN(MemoryPlan without, plan_of(asked, others, slice));
    without.no_attachments = p.error().message;
    return without;
}

Result<MemoryPlan> Planner::plan_of(const MemoryNeeds& asked, uint64_t others, const Slice* slice) const {
    MemoryNeeds needs = asked;
    if (needs.image_side < 0) {
        TRY(towers_.vision());
        const int64_t own = towers_.config().vision.side;
        needs.image_side = needs.image_side == MemoryNeeds::frame_side ? std::min(own, default_frame_side) : own;
    }
    if (needs.clips > 0 && towers_.has_audio()) needs.sound = true;
    if (needs.context_tokens < 0 || needs.context_tokens > config_.context_length) {
        return fail(Code::bad_argument, "context of %lld tokens: expected 1 to the model's %lld, or 0 for as much of it as fits", ll(needs.context_tokens), ll(config_.context_length));
    }
    if (needs.chunk_tokens < 1) return fail(Code::bad_argument, "steps of %lld tokens: expected 1 or more", ll(needs.chunk_tokens));
    TRY(check_kv(options_, config_));
    Slice named;
    double tokens_per_s = 0;
    if (!slice) {
        ASSIGN(named, size(needs, &tokens_per_s));
        slice = &named;
    }
    if (options_.memory_limit > 0) {
        ASSIGN(MemoryPlan p, fit(needs, others, *slice));
        if (needs.tokens_per_s > 0) p.tokens_per_s = tokens_per_s;
        return p;
    }
    ASSIGN(const Slice reads, prefill(needs, *slice));
    return lay_out(needs, in_size({needs.context_tokens > 0 ? needs.context_tokens : config_.context_length, needs.chunk_tokens, needs.image_side, chosen(options_), others, slice, 0, needs.prefill_size.empty() ? nullptr : &reads}, *slice));
}

// What would fit, each change by itself, then two together; where nothing does, the least limit that would.
Error Planner::refusal(const MemoryNeeds& needs, const Choice& smallest, uint64_t bytes) const {
    const auto fits = [&](const Choice& c) {
        const auto p = lay_out(needs, c);
        return p && p->peak_bytes + start_varies <= options_.memory_limit;
    };
    const auto shorter = [&](Choice c) -> int64_t {  // the longest context that fits
        for (c.context = (c.context - 1) / context_step * context_step; c.context > 0; c.context -= context_step)
            if (fits(c)) return c.context;
        return 0;
    };
    Choice q8 = smallest;
    if (fits_q8(config_)) q8.kv = KvType::q8;
    const bool may_q8 = q8.kv != smallest.kv;
    const std::vector<Slice> sizes = best_first();
    std::vector<std::string> works;
    if (const std::string smaller = smaller_size(*smallest.slice, [&](const Slice& s) {
            const Choice c = in_size(smallest, s);
            return c.weights < smallest.weights && fits(c);
        }); !smaller.empty()) works.push_back("size " + smaller);
    if (may_q8 && fits(q8)) works.push_back("keys and values of type q8");
    if (const int64_t context = shorter(smallest); context > 0) works.push_back(text("a context of %lld tokens", ll(context)));
    if (smallest.side > 0) {
        const int64_t side = largest_side(smallest.side, [&](int64_t s) {
            Choice c = smallest;
            c.side = s;
            return fits(c);
        });
        if (side > 0) works.push_back(text("pictures of %lld pixels a side", ll(side)));
    }
    if (works.empty() && may_q8) {
        if (const int64_t context = shorter(q8); context > 0) works.push_back(text("a context of %lld tokens together with keys and values of type q8", ll(context)));
    }
    const std::string needed = text("%s: needs %s for a context of %lld tokens in size %s with keys and values of type %s, and the limit is %s", checkpoint_.path().c_str(), gigabytes(bytes).c_str(),
                                    ll(smallest.context), smallest.slice->name.c_str(), name(smallest.kv), gigabytes(options_.memory_limit).c_str());
    if (!works.empty()) {
        std::string list;
        for (const std::string& w : works) list += (list.empty() ? "" : ", or ") + w;
        return fail(Code::over_budget, "%s: what fits is %s", needed.c_str(), list.c_str());
    }
    q8.context = std::min(q8.context, least_context);
    for (const Slice& s : sizes) {
        if (const Choice c = in_size(q8, s); c.weights < q8.weights) q8 = c;
    }
    const auto least = lay_out(needs, q8);
    if (!least) return least.error();
    return fail(Code::over_budget, "%s: the least limit that works is %lluM, with a context of %lld tokens, keys and values of type %s and size %s", needed.c_str(),
                static_cast<unsigned long long>((least->peak_bytes + start_varies + 999999) / 1000000), ll(q8.context), name(q8.kv), q8.slice->name.c_str());
}

}  // namespace gemma3n::runtime

namespace gemma3n {

Result<MemoryPlan> plan_memory(const std::string& path, const EngineOptions& options, const MemoryNeeds& needs) {
    try {
        ASSIGN(const auto checkpoint, format::Checkpoint::open(path));
        ASSIGN(model::Config config, model::read_config(*checkpoint));
        ASSIGN(const auto weights, model::bind_weights(*checkpoint, config));
        ASSIGN(runtime::Towers towers, runtime::Towers::open(checkpoint, config, options.mmproj));
        return runtime::Planner(options, *checkpoint, config, *weights, towers, options.threads > 0 ? options.threads : physical_cores()).plan(needs);
    } catch (const std::bad_alloc&) {
        return fail(Code::over_budget, "%s: out of memory while it was looked at", path.c_str());
    }
}

}  // namespace gemma3n
