#include "gemma3n/attach.h"

#include "base/result.h"
#include "runtime/engine_impl.h"

#include <chrono>
#include <utility>

namespace gemma3n {

Result<std::unique_ptr<ClipStream>> ClipStream::open(std::shared_ptr<Engine> engine, const SoundOptions& options) {
    std::unique_ptr<ClipStream> s(new ClipStream(engine->info().clip_seconds));
    ASSIGN(s->stream_, engine->new_sound_stream());
    s->engine_ = std::move(engine);
    s->options_ = options;
    return s;
}

// The encoder gets the first n samples of the present clip, so far as it has not had them.
Status ClipStream::encode(std::span<const float> clip, int64_t n) {
    if (n <= encoded_) return {};
    const auto start = std::chrono::steady_clock::now();
    TRY(stream_->push(clip.subspan(static_cast<size_t>(encoded_), static_cast<size_t>(n - encoded_))));
    encode_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    encoded_ = n;
    return {};
}

Status ClipStream::complete(bool end, const OnClip& on_clip) {
    while (auto clip = cutter_.next(end)) {
        const auto n = static_cast<int64_t>(clip->samples.size());
        TRY(encode(clip->samples, n));
        encoded_ = 0;
        ASSIGN(auto tokens, stream_->finish(options_));
        TRY(on_clip({{"", std::move(tokens)}, clip->begin_s, clip->begin_s + static_cast<double>(n) / static_cast<double>(sound_rate), std::exchange(encode_s_, 0.0), n_clips_++}));
    }
    return {};
}

Status ClipStream::push(std::span<const float> samples, const OnClip& on_clip) {
    return within_memory(engine_->impl(), [&]() -> Status {
        cutter_.push(samples);
        TRY(complete(false, on_clip));
        return encode(cutter_.waiting(), cutter_.certain());
    });
}

Status ClipStream::finish(const OnClip& on_clip) {
    return within_memory(engine_->impl(), [&]() -> Status { return complete(true, on_clip); });
}

Status ClipStream::clear() {
    cutter_ = ClipCutter(engine_->info().clip_seconds);
    ASSIGN(stream_, engine_->new_sound_stream());
    encoded_ = n_clips_ = 0;
    encode_s_ = 0;
    return {};
}

}  // namespace gemma3n
