// A plan: what is counted of a choice, and the choice that fits a limit.
#include "base/cpu.h"
#include "gemma3n/media.h"
#include "runtime/planner.h"

#include <algorithm>
#include <new>

namespace gemma3n::runtime {

namespace {

constexpr int64_t chunks[] = {512, 256, 128, 64, 32, least_chunk};
constexpr int64_t roomy_context = 4096;   // smaller steps are taken before less than this is offered

long long ll(int64_t v) { return static_cast<long long>(v); }

}  // namespace

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
    const KvType kv = chosen_kv(options_);
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
    return lay_out(needs, in_size({needs.context_tokens > 0 ? needs.context_tokens : config_.context_length, needs.chunk_tokens, needs.image_side, chosen_kv(options_), others, slice, 0, needs.prefill_size.empty() ? nullptr : &reads}, *slice));
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
