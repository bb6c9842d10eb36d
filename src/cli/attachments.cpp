#include "cli/attachments.h"

#include "cli/media_stream.h"
#include "cli/progress.h"
#include "cli/sketch.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace gemma3n::cli {

namespace {

bool is_picture(const Medium& m) { return m.part.tokens->kind == SoftTokens::Kind::image; }

std::string counted(int64_t n, const char* one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

}  // namespace

std::string in_words(const std::vector<Part>& media) {
    int64_t pictures = 0, tokens = 0;
    for (const Part& p : media) pictures += p.tokens->kind == SoftTokens::Kind::image, tokens += p.tokens->n;
    const int64_t clips = static_cast<int64_t>(media.size()) - pictures;
    std::string s;
    if (pictures > 0) s = counted(pictures, "picture") + ", ";
    if (clips > 0) s += counted(clips, "clip") + ", ";
    return s + counted(tokens, "token");
}

AttachOptions attach_options(const MediaFlags& flags) {
    AttachOptions o;
    o.image.side = o.frame_side = flags.image_side;
    o.sound.fixed = flags.audio_tokens != "dynamic";
    if (flags.fps > 0) o.fps = flags.fps;
    if (flags.max_frames > 0) o.max_frames = flags.max_frames;
    return o;
}

Status check_concern(const MediaFlags& flags, bool camera) {
    bool image = false, sound = false, video = camera;
    for (const MediaFile& f : flags.files) (f.kind == MediaFile::Kind::image ? image : f.kind == MediaFile::Kind::sound ? sound : video) = true;
    const auto idle = [](const char* flag, const char* what, const char* expected) { return Error{Code::bad_argument, std::string(flag) + " is of " + what + ", and none is given: expected " + expected}; };
    if (flags.image_side > 0 && !image && !video) return idle("--image-size", "pictures and videos", "--image, --video or --camera");
    if (!flags.audio_tokens.empty() && !sound && !video) return idle("--audio-tokens", "sound", "--audio, --video or --camera");
    if (flags.fps > 0 && !video) return idle("--fps", "videos", "--video or --camera");
    if (flags.max_frames > 0 && !video) return idle("--max-frames", "videos", "--video or --camera");
    if (flags.draw.value_or(false) && flags.files.empty()) return idle("--draw", "pictures, recordings and videos", "--image, --audio or --video");
    return {};
}

MemoryNeeds media_needs(const MediaFlags& flags, const MediaFile* watched) {
    MemoryNeeds n;
    bool frames = false;
    const auto decoded = [&](uint64_t bytes) { n.decoder_bytes = std::max(n.decoder_bytes, media_support().containers ? bytes : 0); };
    const auto video = [&](int64_t pictures, uint64_t bytes) {
        frames = true;
        n.pictures += pictures;
        decoded(bytes);
    };
    for (const MediaFile& f : flags.files) {
        std::error_code ec;
        const bool once = !std::filesystem::is_regular_file(f.path, ec);  // a pipe can be read once
        if (f.kind == MediaFile::Kind::image) {
            n.image_side = flags.image_side > 0 ? flags.image_side : MemoryNeeds::own_side;
            n.pictures++;
        } else if (f.kind == MediaFile::Kind::sound) {
            n.sound = true;
            n.clips++;
            decoded(sound_decoder_bytes);
            if (once) continue;
            if (const auto sound = SoundReader::open(f.path)) n.sound_seconds += (*sound)->duration();
        } else {
            const auto reader = once ? Result<std::unique_ptr<VideoReader>>(Error{}) : VideoReader::open(f.path, {});
            const double duration = reader ? (*reader)->duration() : 0;
            video(frames_of(duration, attach_options(flags)), reader ? (*reader)->decoder_bytes() : video_decoder_bytes);
            if (reader && !(*reader)->has_sound()) continue;
            n.clips++;
            n.sound_seconds += duration;
        }
    }
    if (watched) {
        if (watched->kind == MediaFile::Kind::video) video(flags.max_frames > 0 ? flags.max_frames : MediaStream::default_frames, video_decoder_bytes);
        else n.sound = true, decoded(sound_decoder_bytes);
        if (!MediaStream::is_device(*watched)) n.clips += MediaStream::most_clips;
    }
    if (frames && n.image_side == 0) n.image_side = flags.image_side > 0 ? flags.image_side : MemoryNeeds::frame_side;
    return n;
}

Attachments::Attachments(std::shared_ptr<Engine> engine, const MediaFlags& flags, bool stats) : engine_(std::move(engine)), flags_(flags), stats_(stats) {}

Result<Attached> Attachments::encode(const MediaFile& file, const AttachOptions& options, Sketch* sketch) {
    if (file.kind == MediaFile::Kind::image) {
        auto image = read_image(file.path);
        if (!image) return image.error();
        if (sketch) sketch->see(*image);
        return attach_image(*engine_, *image, options);
    }
    if (file.kind == MediaFile::Kind::sound) {
        auto reader = SoundReader::open(file.path, [] { return !interrupted(); });
        if (!reader) return reader.error();
        const auto heard = sketch ? sketched(std::move(*reader), *sketch) : std::move(*reader);
        return attach_sound(*engine_, *heard, options);
    }
    VideoOptions video = video_options(*engine_, options);
    const int64_t side = std::exchange(video.side, sketch ? 0 : video.side);
    video.waiting = [] { return !interrupted(); };
    auto reader = VideoReader::open(file.path, video);
    if (!reader) return reader.error();
    const auto seen = sketch ? sketched(std::move(*reader), side, *sketch) : std::move(*reader);
    return attach_video(*engine_, *seen, options);
}

void Attachments::say_times(const MediaFile& file, const Attached& a) const {
    for (const Medium& m : a.media) {
        char where[64] = "";
        if (!is_picture(m)) snprintf(where, sizeof where, ", %.1f to %.1f s", m.begin_s, m.end_s);
        else if (file.kind == MediaFile::Kind::video) snprintf(where, sizeof where, ", at %.1f s", m.begin_s);
        fprintf(stderr, "%-11s %s%s: %lld tokens, %.2f s\n", is_picture(m) ? "picture" : "clip", shown_name(file.path).c_str(), where, static_cast<long long>(m.part.tokens->n), m.encode_s);
    }
}

int64_t Attachments::least_tokens(const MediaFile& file) const {
    std::error_code ec;
    if (file.kind == MediaFile::Kind::image) return least_tokens_of_image(*engine_);
    if (!std::filesystem::is_regular_file(file.path, ec)) return 0;  // a pipe can be read once
    const AttachOptions o = attach_options(flags_);
    if (file.kind == MediaFile::Kind::sound) {
        const auto reader = SoundReader::open(file.path);
        return reader ? gemma3n::least_tokens(*engine_, **reader, o) : 0;
    }
    const auto reader = VideoReader::open(file.path, video_options(*engine_, o));
    return reader ? gemma3n::least_tokens(*engine_, **reader, o) : 0;
}

Result<std::string> Attachments::add(const MediaFile& file) {
    AttachOptions o = attach_options(flags_);
    if (room_) o.room = std::max<int64_t>(0, room_(parts_));
    const std::string what = "encoding " + shown_name(file.path);
    o.progress = [&](const AttachProgress& p) {
        char line[64] = "";
        if (p.total_seconds > 0) snprintf(line, sizeof line, " %.0f %%", 100 * std::min(p.seconds / p.total_seconds, 1.0));
        else if (p.seconds > 0) snprintf(line, sizeof line, ", %.0f s of it", p.seconds);
        progress_line(what + line);
        return !interrupted();
    };
    const int64_t pictures = n_pictures_, clips = n_clips_;
    if (trace_) {
        o.trace = [&](SoftTokens::Kind kind, int64_t index) {
            const bool picture = kind == SoftTokens::Kind::image;
            const int64_t n = index + (picture ? pictures : clips);
            (picture ? n_pictures_ : n_clips_) = n + 1;
            return trace_(kind, n);
        };
    }
    Sketch sketch;
    const auto start = std::chrono::steady_clock::now();
    auto a = encode(file, o, canvas_ ? &sketch : nullptr);
    clear_progress();
    if (!a) return in_file(a.error(), file.path);
    encode_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (canvas_) fputs(sketch.drawn(*canvas_).c_str(), stderr);
    for (const std::string& note : a->notes) say(in_file({Code::bad_file, note}, file.path).message);
    if (stats_) say_times(file, *a);
    std::vector<Part> added;
    for (const Medium& m : a->media) added.push_back(m.part);
    add(added);
    return in_words(added);
}

Status Attachments::add_flags() {
    if (flags_.files.size() > 1) {  // one alone is held against the room by add()
        const int64_t room = room_ ? std::max<int64_t>(0, room_(parts_)) : engine_->info().context_length;
        int64_t all = 0;
        for (const MediaFile& f : flags_.files) {
            if ((all += least_tokens(f)) <= room) continue;
            return Error{Code::context_full, shown_name(f.path) + ": with what stands before it, at least " + std::to_string(all) + " tokens of the prompt: there is room for " + std::to_string(room)};
        }
    }
    for (const MediaFile& f : flags_.files) {
        if (const auto added = add(f); !added) return added.error();
    }
    if (!flags_.files.empty()) engine_->release_towers();
    return {};
}

std::vector<Part> Attachments::with(const std::string& text) const {
    std::vector<Part> parts = parts_;
    if (!text.empty()) parts.push_back({text, nullptr});
    return parts;
}

}  // namespace gemma3n::cli
