// Pictures and sound to soft tokens: resizing, a tower, its embedder.
#include "gemma3n/engine.h"

#include "base/result.h"
#include "runtime/engine_impl.h"
#include "runtime/trace_tap.h"

#include <algorithm>

namespace gemma3n {

namespace {

using runtime::TraceTap;
using Shared = std::shared_ptr<const SoftTokens>;

long long ll(int64_t v) { return static_cast<long long>(v); }

// Soft tokens are made this many at a time, so that a row's bits do not depend on what rides along.
constexpr int64_t rows_together = 16;

std::optional<TraceTap> tap_of(const EncoderTrace* trace) {
    std::optional<TraceTap> tap;
    if (trace) tap.emplace(trace->wanted, trace->sink);
    return tap;
}

// [3, side, side] in [0, 1].
std::vector<float> pixels_of(const Image& square) {
    const size_t n = static_cast<size_t>(square.width * square.height);
    std::vector<float> pixels(3 * n);
    for (size_t i = 0; i < n; i++)
        for (size_t channel = 0; channel < 3; channel++) pixels[channel * n + i] = static_cast<float>(square.rgb[3 * i + channel]) * (1.0f / 255.0f);
    return pixels;
}

// Rows of a tower, overwritten, as input vectors of the text network at the end of `values`.
void append_soft(Context& c, const model::Embedder& embedder, View rows, int64_t hidden, std::vector<float>& values) {
    const size_t before = values.size();
    values.resize(before + static_cast<size_t>(rows.n_rows * hidden));
    for (int64_t i = 0; i < rows.n_rows; i += rows_together) {
        const Arena::Scope scope(c.scratch);
        const int64_t n = std::min(rows_together, rows.n_rows - i);
        const View out = c.scratch.view(n, hidden);
        embedder.soft(c, rows.rows(i, n), out);
        std::copy_n(out.f32(), n * hidden, values.begin() + static_cast<std::ptrdiff_t>(before + static_cast<size_t>(i * hidden)));
    }
}

// Soft tokens as their owner gets them. Under a limit they count among what sessions hold, until the last one lets go of them.
Shared hand_out(std::shared_ptr<Engine> engine, SoftTokens&& soft) {
    if (!engine->impl().budget.limited()) return std::make_shared<SoftTokens>(std::move(soft));
    runtime::Budget::Share share(engine->impl().budget, soft.values.size() * sizeof(float));
    struct Held {
        std::shared_ptr<Engine> engine;  // the share's budget is its
        runtime::Budget::Share share;
        SoftTokens soft;
    };
    const auto held = std::make_shared<Held>(Held{std::move(engine), std::move(share), std::move(soft)});
    return {held, &held->soft};
}

Error widths_differ(const format::Checkpoint& towers, const char* tower, int64_t found, int64_t expected) {
    return fail(Code::bad_file, "%s: the %s tower makes rows of %lld values and its embedder takes %lld: expected the same", towers.path().c_str(), tower, ll(found), ll(expected));
}

}  // namespace

Result<Shared> Engine::encode_image(const Image& image, const ImageOptions& options, const EncoderTrace* trace) {
    return within_memory(*impl_, [&]() -> Result<Shared> {
        Impl& e = *impl_;
        std::unique_lock lock(e.mutex);
        runtime::Towers& towers = *e.towers;
        ASSIGN(const auto tower, towers.vision());
        ASSIGN(const model::Embedder* embedder, towers.embed_vision());
        if (tower->width() != embedder->width()) return widths_differ(*towers.checkpoint(), "vision", tower->width(), embedder->width());
        const int64_t side = options.side != 0 ? options.side : towers.config().vision.side;
        TRY(tower->check_side(side));  // before anything is made of that size
        lock.unlock();
        ASSIGN(const Image square, resized(image, side));
        const std::vector<float> pixels = pixels_of(square);
        std::optional<TraceTap> tap = tap_of(trace);
        if (tap) tap->values("pixel_values", {1, 3, side, side}, pixels);
        lock.lock();

        TRY(e.room_for_soft(e.planner->soft({.pictures = 1}), "a picture"));
        ASSIGN(const uint64_t needed, e.planner->vision(side));
        TRY(e.room_for_tower(needed, 0, runtime::vision_scratch(*tower, side, e.pool->n_threads(), e.options), text("a picture of %lld pixels a side", ll(side))));
        const PoolAwake awake(*e.pool);
        Context c = e.context(towers.scratch());
        const Arena::Scope scope(c.scratch);
        const View rows = c.scratch.view(tower->n_tokens(), tower->width());
        TRY(tower->encode(c, pixels, side, rows, tap ? &*tap : nullptr));
        SoftTokens soft{SoftTokens::Kind::image, rows.n_rows, e.config.hidden, {}};
        append_soft(c, *embedder, rows, e.config.hidden, soft.values);
        TRY(towers.checkpoint()->intact());
        if (tap) tap->values("soft_tokens", {soft.n, soft.hidden}, soft.values);
        return hand_out(shared_from_this(), std::move(soft));
    });
}

struct SoundStream::Impl {
    std::shared_ptr<Engine> engine;
    std::shared_ptr<const model::AudioTower> tower;   // outlives a release
    std::unique_ptr<model::AudioTower::Stream> stream;
    int64_t n_samples = 0;
    std::vector<float> values;  // [n, hidden], so far

    Engine::Impl& e() const { return engine->impl(); }

    // Runs f(context, rows of the tower) and turns the rows into soft tokens. The engine is held.
    template <class F>
    Status advance(F&& f) {
        runtime::Towers& towers = *e().towers;
        ASSIGN(const model::Embedder* embedder, towers.embed_audio());
        if (tower->width() != embedder->width()) return widths_differ(*towers.checkpoint(), "audio", tower->width(), embedder->width());
        ASSIGN(const uint64_t needed, e().planner->audio());
        TRY(e().room_for_tower(0, needed, runtime::audio_scratch(*tower, e().pool->n_threads(), e().options), "sound"));
        const PoolAwake awake(*e().pool);
        Context c = e().context(towers.scratch());
        std::vector<float> made;
        TRY(f(c, made));
        const int64_t n = static_cast<int64_t>(made.size()) / tower->width();
        const Buffer buffer{reinterpret_cast<std::byte*>(made.data()), made.size() * sizeof(float)};
        append_soft(c, *embedder, {&buffer, 0, DType::f32, n, tower->width(), static_cast<uint64_t>(tower->width()) * sizeof(float)}, e().config.hidden, values);
        return towers.checkpoint()->intact();
    }

    Status push(std::span<const float> samples, TraceTap* tap) {
        const int64_t most = e().towers->clip_samples(), n = static_cast<int64_t>(samples.size());
        if (n > most - n_samples) {
            return fail(Code::bad_argument, "a clip of %.2f seconds of sound: the model takes %.2f at most, so longer sound has to be cut into clips", static_cast<double>(n_samples + n) / sound_rate,
                        static_cast<double>(most) / sound_rate);
        }
        if (n_samples == 0) TRY(e().room_for_soft(e().planner->soft({.sound = true, .clips = 1}), "a clip"));
        TRY(advance([&](Context& c, std::vector<float>& rows) { return stream->push(c, samples, rows, tap); }));
        n_samples += n;
        return {};
    }

    Shared tokens() const {
        const int64_t hidden = e().config.hidden, n = static_cast<int64_t>(values.size()) / hidden;
        return n == 0 ? nullptr : std::make_shared<SoftTokens>(SoftTokens{SoftTokens::Kind::sound, n, hidden, values});
    }

    Result<Shared> finish(const SoundOptions& o, TraceTap* tap) {
        const int64_t was = std::exchange(n_samples, 0), hidden = e().config.hidden;
        const Status finished = advance([&](Context& c, std::vector<float>& rows) { return stream->finish(c, rows, tap); });
        SoftTokens soft{SoftTokens::Kind::sound, static_cast<int64_t>(values.size()) / hidden, hidden, std::exchange(values, {})};
        TRY(finished);
        if (soft.n == 0) return fail(Code::bad_argument, "a clip of %lld samples is too short: expected at least 513, 32 milliseconds", ll(was));
        if (o.fixed) TRY(fill(soft));
        if (tap) tap->values("soft_tokens", {soft.n, hidden}, soft.values);
        return hand_out(engine, std::move(soft));
    }

    // The reference fills a clip up with the vector of the last mark.
    Status fill(SoftTokens& soft) const {
        runtime::Towers& towers = *e().towers;
        const model::AudioConfig& a = towers.config().audio;
        ASSIGN(const float* padding, towers.hard(e().context(towers.scratch()), static_cast<int>(a.vocab_offset + a.vocab - 1)));
        for (; soft.n < a.n_tokens; soft.n++) soft.values.insert(soft.values.end(), padding, padding + soft.hidden);
        return {};
    }
};

SoundStream::SoundStream() = default;
SoundStream::~SoundStream() = default;

Status SoundStream::push(std::span<const float> samples) {
    return within_memory(impl_->e(), [&]() -> Status {
        const std::lock_guard lock(impl_->e().mutex);
        return impl_->push(samples, nullptr);
    });
}

double SoundStream::seconds() const { return static_cast<double>(impl_->n_samples) / static_cast<double>(sound_rate); }

Shared SoundStream::so_far() const { return impl_->tokens(); }

Result<Shared> SoundStream::finish(const SoundOptions& options) {
    return within_memory(impl_->e(), [&]() -> Result<Shared> {
        const std::lock_guard lock(impl_->e().mutex);
        return impl_->finish(options, nullptr);
    });
}

Result<std::unique_ptr<SoundStream>> Engine::new_sound_stream() {
    return within_memory(*impl_, [&]() -> Result<std::unique_ptr<SoundStream>> {
        const std::lock_guard lock(impl_->mutex);
        ASSIGN(auto tower, impl_->towers->audio());
        std::unique_ptr<SoundStream> s(new SoundStream);
        s->impl_ = std::make_unique<SoundStream::Impl>(SoundStream::Impl{shared_from_this(), tower, tower->stream(), 0, {}});
        return s;
    });
}

Result<Shared> Engine::encode_sound(std::span<const float> samples, const SoundOptions& options, const EncoderTrace* trace) {
    ASSIGN(const auto s, new_sound_stream());
    return within_memory(*impl_, [&]() -> Result<Shared> {
        const std::lock_guard lock(impl_->mutex);
        std::optional<TraceTap> tap = tap_of(trace);
        TRY(s->impl().push(samples, tap ? &*tap : nullptr));
        return s->impl().finish(options, tap ? &*tap : nullptr);
    });
}

}  // namespace gemma3n
