// Pictures, recordings and videos to parts of a turn.
#include "gemma3n/attach.h"

#include "base/result.h"
#include "runtime/engine_impl.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace gemma3n {

namespace {

using Kind = SoftTokens::Kind;

constexpr int64_t read_at_once = sound_rate;  // samples

// Around soft tokens stand the two marks and a line's end; the line's end before them is shared with what stands there.
constexpr int64_t n_marks = 3;

bool is_frame(const Medium& m) { return m.part.tokens->kind == Kind::image; }

// Of clips: the shortest that hold so much sound are the fewest, and of those that are not filled up each has a token for every one begun.
int64_t sound_tokens(const Engine& engine, double seconds, const SoundOptions& options) {
    const ModelInfo& m = engine.info();
    if (!(seconds > 0) || !(m.clip_seconds > 0)) return 0;
    const double n_clips = std::ceil(std::min(seconds, 1e12) / m.clip_seconds - 1e-6);
    const double marks = static_cast<double>(n_marks) * n_clips;
    if (options.fixed) return static_cast<int64_t>(marks + n_clips * static_cast<double>(m.clip_tokens));
    const double missing = 0.04 * n_clips;  // the end of a clip that is too short for a frame of sound, rounded up
    return static_cast<int64_t>(marks + std::max(0.0, seconds - missing) / m.clip_token_seconds);
}

// A part of a turn that has no room, by its name.
Error no_room(const std::string& what, int64_t tokens, int64_t room) {
    return fail(Code::context_full, "%s at least %lld tokens of the prompt: there is room for %lld", what.c_str(), static_cast<long long>(tokens), static_cast<long long>(room));
}

int64_t room_of(const Engine& engine, const AttachOptions& o) { return o.room >= 0 ? o.room : engine.info().context_length; }

// One attachment under way.
class Attaching {
public:
    Attaching(Engine& engine, const AttachOptions& options, double total_seconds) : engine_(engine), options_(options), room_(room_of(engine, options)), cutter_(engine.info().clip_seconds) {
        progress_.total_seconds = total_seconds;
    }

    Status image(const Image& image, int64_t side, double at_s) {
        return encode(Kind::image, at_s, at_s, [&](const EncoderTrace* trace) { return engine_.encode_image(image, {side}, trace); });
    }

    // Clips that are complete by these samples; with `end` also the rest.
    Status sound(std::span<const float> samples, bool end) {
        cutter_.push(samples);
        TRY(reached(std::max(progress_.seconds, cutter_.seconds())));
        if (const int64_t n = tokens_of_frames() + sound_tokens(engine_, cutter_.seconds(), options_.sound); n > room_) {
            return no_room(text("%.1f s of sound%s take", cutter_.seconds(), n_frames() > 0 ? " and the frames before them" : ""), n, room_);
        }
        while (auto clip = cutter_.next(end)) {
            const double end_s = clip->begin_s + static_cast<double>(clip->samples.size()) / static_cast<double>(sound_rate);
            TRY(encode(Kind::sound, clip->begin_s, end_s, [&](const EncoderTrace* trace) { return engine_.encode_sound(clip->samples, options_.sound, trace); }));
        }
        return {};
    }

    // So much of the recording is read.
    Status reached(double seconds) {
        progress_.seconds = seconds;
        if (!options_.progress || options_.progress(progress_)) return {};
        return fail(Code::cancelled, "encoding was cancelled");
    }

    // Keeps the first frame of each `spacing` seconds.
    void thin_frames(double spacing) {
        int64_t last = -1;
        std::erase_if(media_, [&](const Medium& m) { return is_frame(m) && std::exchange(last, cell(m.begin_s, spacing)) == cell(m.begin_s, spacing); });
    }
    // A frame more would not fit. What thinning will take away again counts too: the last frames of a recording may need the room.
    Status room_for_frame() const {
        const int64_t n = tokens_of_frames() + least_tokens_of_image(engine_) + sound_tokens(engine_, cutter_.seconds(), options_.sound);
        if (n <= room_ || n_frames() >= options_.max_frames) return {};
        return no_room(text("%lld frames of a video%s take", static_cast<long long>(n_frames() + 1), cutter_.seconds() > 0 ? " and the sound before them" : ""), n, room_);
    }
    int64_t n_frames() const { return std::count_if(media_.begin(), media_.end(), is_frame); }
    static int64_t cell(double at_s, double spacing) { return static_cast<int64_t>(at_s / spacing + 1e-6); }

    // Frames and clips by time.
    Attached finish() {
        by_time(media_);
        Attached a{std::move(media_), {}};
        const auto is_clip = [](const Medium& m) { return !is_frame(m); };
        if (const auto n = std::count_if(a.media.begin(), a.media.end(), is_clip); n > 1) {
            std::string at;
            for (const Medium& m : a.media)
                if (is_clip(m) && m.begin_s > 0) at += text("%s%.1f", at.empty() ? "" : ", ", m.begin_s);
            a.notes.push_back(text("%.1f s of sound are %lld clips, cut at %s s", cutter_.seconds(), static_cast<long long>(n), at.c_str()));
        }
        return a;
    }

private:
    int64_t tokens_of_frames() const { return n_frames() * least_tokens_of_image(engine_); }

    template <class F>
    Status encode(Kind kind, double begin_s, double end_s, F&& f) {
        TRY(reached(std::max(progress_.seconds, end_s)));
        int64_t& n = kind == Kind::image ? progress_.pictures : progress_.clips;
        const auto start = std::chrono::steady_clock::now();
        ASSIGN(auto tokens, f(options_.trace ? options_.trace(kind, n) : nullptr));
        media_.push_back({{"", std::move(tokens)}, begin_s, end_s, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), n++});
        return {};
    }

    Engine& engine_;
    const AttachOptions& options_;
    const int64_t room_;
    ClipCutter cutter_;
    AttachProgress progress_;
    std::vector<Medium> media_;
};

// Before anything of a recording is encoded: whether all that will be kept of it may be.
Status check_room(Engine& engine, int64_t frames, double seconds, bool sound, const char* subject) {
    Engine::Impl& e = engine.impl();
    const std::lock_guard lock(e.mutex);
    return e.room_for_soft(e.planner->soft({.sound = sound, .pictures = frames, .clips = sound, .sound_seconds = seconds}), subject);
}

}  // namespace

int64_t frames_of(double duration, const AttachOptions& options) {
    if (!(duration > 0)) return options.max_frames + 1;  // one more is there before they are thinned out
    return std::min(options.max_frames, std::max<int64_t>(1, static_cast<int64_t>(std::ceil(std::min(duration * options.fps, 1e9)))));
}

void by_time(std::vector<Medium>& media) {
    // a frame at the second at which a clip ends was not shown during it
    const auto order = [](const Medium& m) { return std::pair(m.end_s, is_frame(m)); };
    std::stable_sort(media.begin(), media.end(), [&](const Medium& a, const Medium& b) { return order(a) < order(b); });
}

int64_t least_tokens_of_image(const Engine& engine) { return engine.info().vision ? engine.info().image_tokens + n_marks : 0; }

int64_t least_tokens(const Engine& engine, const SoundReader& reader, const AttachOptions& options) { return engine.info().audio ? sound_tokens(engine, reader.duration(), options.sound) : 0; }

int64_t least_tokens(const Engine& engine, const VideoReader& reader, const AttachOptions& options) {
    const double frames = std::clamp(std::floor(reader.duration() * options.fps + 1e-6), 1.0, static_cast<double>(options.max_frames));
    return static_cast<int64_t>(frames) * least_tokens_of_image(engine) + (engine.info().audio ? sound_tokens(engine, reader.sound_duration(), options.sound) : 0);
}

Result<Attached> attach_image(Engine& engine, const Image& image, const AttachOptions& options) {
    if (const int64_t n = least_tokens_of_image(engine), room = room_of(engine, options); n > room) return no_room("a picture takes", n, room);
    return within_memory(engine.impl(), [&]() -> Result<Attached> {
        Attaching a(engine, options, 0);
        TRY(a.image(image, options.image.side, 0));
        return a.finish();
    });
}

Result<Attached> attach_sound(Engine& engine, SoundReader& reader, const AttachOptions& options) {
    if (const int64_t n = least_tokens(engine, reader, options), room = room_of(engine, options); n > room) return no_room(text("%.1f s of sound take", reader.duration()), n, room);
    return within_memory(engine.impl(), [&]() -> Result<Attached> {
        TRY(check_room(engine, 0, reader.duration(), true, "a recording"));
        Attaching a(engine, options, reader.duration());
        std::vector<float> samples;
        for (bool more = true; more;) {
            samples.clear();
            ASSIGN(more, reader.read(read_at_once, samples));
            TRY(a.sound(samples, !more));
        }
        Attached attached = a.finish();
        if (const std::string note = reader.note(); !note.empty()) attached.notes.push_back(note);
        if (attached.media.empty()) return fail(Code::bad_file, "a recording without a single sample: expected sound");
        return attached;
    });
}

VideoOptions video_options(const Engine& engine, const AttachOptions& options) {
    VideoOptions v;
    v.fps = options.fps;
    v.side = options.frame_side != 0 ? options.frame_side : std::min(runtime::default_frame_side, engine.info().image_side);
    v.sound = true;  // also when nothing hears it: that it is there is said
    return v;
}

// One frame of each `spacing` seconds: of 1 / fps, or of more when that would be too many. Where the duration is not known, or wrong,
// spacing doubles whenever there are too many.
Result<Attached> attach_video(Engine& engine, VideoReader& reader, const AttachOptions& options) {
    if (!(options.fps > 0) || options.max_frames < 1) {
        return fail(Code::bad_argument, "%g frames a second and %lld at most: expected more than 0 and at least 1", options.fps, static_cast<long long>(options.max_frames));
    }
    if (const int64_t n = least_tokens(engine, reader, options), room = room_of(engine, options); n > room) {
        return no_room(text("%.1f s of video with %.1f s of sound take", reader.duration(), engine.info().audio ? reader.sound_duration() : 0), n, room);
    }
    return within_memory(engine.impl(), [&]() -> Result<Attached> {
        const double duration = reader.duration(), asked = 1 / options.fps;
        const auto most = static_cast<double>(options.max_frames);
        double spacing = duration * options.fps > most ? duration / most : asked, last_s = 0;
        int64_t cell = -1;
        if (duration > 0) TRY(check_room(engine, frames_of(duration, options), duration, reader.has_sound() && engine.info().audio, "a video"));
        Attaching a(engine, options, duration);
        std::vector<float> samples;
        for (bool more = true; more;) {
            samples.clear();
            ASSIGN(const auto frame, reader.next(&samples));
            more = frame.has_value();
            if (engine.info().audio) TRY(a.sound(samples, !more));
            if (!more) break;
            last_s = frame->seconds;
            TRY(a.reached(last_s));
            if (spacing > asked) {
                const int64_t at = Attaching::cell(last_s, spacing);
                if (at <= cell || (last_s <= duration && at >= options.max_frames)) continue;  // the end of a recording may be its last cell's
                cell = at;
            }
            TRY(a.room_for_frame());
            TRY(a.image(frame->image, frame->image.width, last_s));
            while (a.n_frames() > options.max_frames) {
                spacing *= 2;
                a.thin_frames(spacing);
                cell = Attaching::cell(last_s, spacing);
            }
        }
        const int64_t n_frames = a.n_frames();
        Attached attached = a.finish();
        if (spacing > asked) {
            attached.notes.insert(attached.notes.begin(), text("%.1f s of video: %lld frames, one every %.1f s, for there are %lld at most", std::max(duration, last_s),
                                                               static_cast<long long>(n_frames), spacing, static_cast<long long>(options.max_frames)));
        }
        if (const std::string note = reader.note(); !note.empty()) attached.notes.push_back(note);
        if (reader.has_sound() && !engine.info().audio) attached.notes.push_back("the video's sound is left out: the model has no audio tower");
        return attached;
    });
}

}  // namespace gemma3n
