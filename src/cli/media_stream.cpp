#include "cli/media_stream.h"

#include "cli/attachments.h"
#include "cli/progress.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

namespace gemma3n::cli {

namespace {

bool is_frame(const Medium& m) { return m.part.tokens->kind == SoftTokens::Kind::image; }

constexpr auto patience = std::chrono::milliseconds(50);
constexpr double shortest_rest = 0.2;  // seconds; a rest of sound that is shorter waits for the next question

}  // namespace

MediaStream::MediaStream(std::shared_ptr<Engine> engine, const MediaFlags& flags)
    : engine_(std::move(engine)), max_frames_(flags.max_frames > 0 ? flags.max_frames : default_frames), sound_{flags.audio_tokens != "dynamic"} {}

Result<std::unique_ptr<MediaStream>> MediaStream::open(std::shared_ptr<Engine> engine, const MediaFile& file, const MediaFlags& flags) {
    std::unique_ptr<MediaStream> s(new MediaStream(std::move(engine), flags));
    s->name_ = shown_name(file.path);
    // Ctrl-C ends the wait for the first bytes; later it is meant for an answer.
    const auto opening = std::make_shared<std::atomic<bool>>(true);
    const Waiting waiting = [opening, stop = &s->stop_] { return !*stop && !(*opening && interrupted()); };
    if (file.kind == MediaFile::Kind::sound) {
        auto recording = SoundQueue::open(file.path, waiting);
        if (!recording) return recording.error();
        s->recording_ = std::move(*recording);
    } else {
        VideoOptions v = video_options(*s->engine_, attach_options(flags));
        v.live = true;
        v.waiting = waiting;
        auto video = VideoReader::open(file.path, v);
        if (!video) return video.error();
        s->video_ = std::move(*video);
    }
    if (s->recording_ || (s->video_->has_sound() && s->engine_->info().audio)) {
        auto clips = ClipStream::open(s->engine_, s->sound_);
        if (!clips) return clips.error();
        s->clips_ = std::move(*clips);
    }
    if (s->video_ && s->video_->has_sound() && !s->clips_) s->deaf_ = s->name_ + ": its sound is left out: the model has no audio tower; ";
    *opening = false;
    s->thread_ = std::thread([p = s.get()] { p->run(); });
    return s;
}

MediaStream::~MediaStream() {
    stop_ = true;
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void MediaStream::run() {
    const Status s = [this]() -> Status {
        try {
            return recording_ ? sounds() : frames();
        } catch (const std::bad_alloc&) {
            return Error{Code::over_budget, "out of memory while it is encoded"};
        }
    }();
    const std::lock_guard lock(mutex_);
    if (!s && s.error().code != Code::cancelled) error_ = in_file(s.error(), name_);
    ended_ = true;
    changed_.notify_all();
}

std::unique_lock<std::mutex> MediaStream::turn() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            while (paused_ && !stop_) changed_.wait_for(lock, patience);
        }
        std::unique_lock encoding(encoding_);
        const std::lock_guard lock(mutex_);
        if (!paused_ || stop_) return encoding;
    }
}

Status MediaStream::frames() {
    for (;;) {
        std::vector<float> sound;
        const auto frame = video_->next(&sound);
        if (!frame) return frame.error();
        const bool late = paused();  // an answer began meanwhile: a newer frame comes after it
        const auto encoding = turn();
        if (stop_) return {};
        const ClipStream::OnClip on_clip = [this](Medium m) { return add(std::move(m)); };
        if (clips_) {
            if (const Status s = clips_->push(sound, on_clip); !s) return s;
        }
        if (!*frame) return {};
        if (late) continue;
        auto tokens = engine_->encode_image((**frame).image, {(**frame).image.width});
        if (!tokens) return tokens.error();
        if (const Status s = add({{"", std::move(*tokens)}, (**frame).seconds, (**frame).seconds, 0, 0}); !s) return s;
    }
}

Status MediaStream::sounds() {
    std::vector<float> samples;
    for (bool more = true; more;) {
        samples.clear();
        const auto came = recording_->take(sound_rate / 2, samples);
        if (!came) return came.error();
        more = *came;
        const auto encoding = turn();
        if (stop_) return {};
        if (const Status s = clips_->push(samples, [this](Medium m) { return add(std::move(m)); }); !s) return s;
    }
    return {};
}

Status MediaStream::add(Medium m) {
    const std::lock_guard lock(mutex_);
    const bool frame = is_frame(m);
    int64_t& n = frame ? n_frames_ : n_clips_;
    media_.push_back(std::move(m));
    if (++n > (frame ? max_frames_ : most_clips)) {
        media_.erase(std::find_if(media_.begin(), media_.end(), [&](const Medium& old) { return is_frame(old) == frame; }));
        n--;
        if (!frame) lost_clips_++;
    }
    changed_.notify_all();
    return {};
}

bool MediaStream::paused() {
    const std::lock_guard lock(mutex_);
    return paused_;
}

Status MediaStream::wait() {
    std::unique_lock lock(mutex_);
    while (!ended_ && n_frames_ < max_frames_ && !interrupted()) changed_.wait_for(lock, patience);
    if (interrupted()) return Error{Code::cancelled, "watching " + name_ + " was cancelled"};
    return media_.empty() && error_ ? Status(*error_) : Status();
}

std::vector<Part> MediaStream::take() {
    {
        const std::lock_guard lock(mutex_);
        paused_ = true;
    }
    const std::lock_guard encoding(encoding_);
    if (clips_ && clips_->clip_seconds() >= shortest_rest) {
        if (const Status s = clips_->finish([this](Medium m) { return add(std::move(m)); }); !s) {
            const std::lock_guard lock(mutex_);
            error_ = in_file(s.error(), name_);
        }
    }
    const std::lock_guard lock(mutex_);
    std::vector<Medium> media(std::make_move_iterator(media_.begin()), std::make_move_iterator(media_.end()));
    media_.clear();
    n_frames_ = n_clips_ = 0;
    by_time(media);
    std::vector<Part> parts;
    for (Medium& m : media) parts.push_back(std::move(m.part));
    return parts;
}

void MediaStream::resume() {
    const std::lock_guard lock(mutex_);
    paused_ = false;
    changed_.notify_all();
}

std::string MediaStream::news() {
    const std::lock_guard lock(mutex_);
    std::string s = std::exchange(deaf_, {});
    if (const int64_t n = std::exchange(lost_clips_, 0); n > 0) s += name_ + ": the oldest " + std::to_string(n) + (n == 1 ? " clip was" : " clips were") + " dropped; ";
    if (error_) s += std::exchange(error_, std::nullopt)->message + "; ";
    if (ended_ && !std::exchange(told_, true)) s += name_ + ": has ended; ";
    if (!s.empty()) s.resize(s.size() - 2);
    return s;
}

}  // namespace gemma3n::cli
