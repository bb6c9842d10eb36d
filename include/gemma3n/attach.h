// What a person hands over with a question, as parts of a turn: pictures, sound of any length, video.
//
//   picture  one part
//   sound    clips of at most ModelInfo::clip_seconds, cut at quiet points; all of it, in order
//   video    frames and the clips of its sound track by time: a clip stands behind the frames that were shown while it sounded
#pragma once

#include "gemma3n/engine.h"
#include "gemma3n/media.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gemma3n {

// One thing that an encoder made, and what it took.
struct Medium {
    Part part;
    double begin_s = 0, end_s = 0;  // in its recording; both 0 of a picture, equal of a frame
    double encode_s = 0;
    int64_t index = 0;              // pictures and clips are counted apart, as they were encoded
};

struct Attached {
    std::vector<Medium> media;       // in the order of the turn
    std::vector<std::string> notes;  // what the person should know: how long sound was cut, which frames were chosen; whole sentences
};

// Frames and clips in the order of a turn: a clip behind the frames that were shown while it sounded.
void by_time(std::vector<Medium>& media);

struct AttachProgress {
    int64_t pictures = 0, clips = 0;  // encoded so far
    double seconds = 0;               // of the recording that were read
    double total_seconds = 0;         // of it; 0: not known
};

struct AttachOptions {
    ImageOptions image;        // of pictures
    SoundOptions sound;
    int64_t frame_side = 0;    // pixels of a video's frames; 0 = 256, or the model's own if those are fewer
    double fps = 1;            // frames a second of a video
    int64_t max_frames = 32;   // of one video. A longer one gives frames spread over all of it, farther apart than fps says
    // Tokens of the prompt that are left for it; -1 = the model's context. What takes more is Code::context_full: before anything is encoded
    // where its length is known, else as soon as what has come takes more.
    int64_t room = -1;
    // Called before each encoding and as a recording is read; false cancels. May be empty.
    std::function<bool(const AttachProgress&)> progress;
    // The tap of the index-th picture or clip; null: none. May be empty.
    std::function<const EncoderTrace*(SoftTokens::Kind kind, int64_t index)> trace;
};

Result<Attached> attach_image(Engine& engine, const Image& image, const AttachOptions& options = {});
Result<Attached> attach_sound(Engine& engine, SoundReader& reader, const AttachOptions& options = {});
// `reader` was opened with video_options(engine, options).
Result<Attached> attach_video(Engine& engine, VideoReader& reader, const AttachOptions& options = {});
VideoOptions video_options(const Engine& engine, const AttachOptions& options);
int64_t frames_of(double duration, const AttachOptions& options);  // the most that attach_video keeps of a video; a duration of 0 is not known

// Tokens of a prompt that it takes at least, its marks counted, by what the file says of its length: 0 where that is not known. Nothing is
// read or encoded for it.
int64_t least_tokens_of_image(const Engine& engine);
int64_t least_tokens(const Engine& engine, const SoundReader& reader, const AttachOptions& options = {});
int64_t least_tokens(const Engine& engine, const VideoReader& reader, const AttachOptions& options = {});

// Sound that comes in pieces of any size, cut into clips as pieces_at_quiet_points would cut the whole of it. A clip is handed out once
// what follows cannot change it.
class ClipCutter {
public:
    explicit ClipCutter(double max_seconds) : max_seconds_(max_seconds) {}
    void push(std::span<const float> samples);
    // The next clip that is complete; with `end`, all that is left. Nullopt: more sound is needed, or there is none.
    struct Clip {
        double begin_s = 0;
        std::vector<float> samples;
    };
    std::optional<Clip> next(bool end = false);
    // Sound behind the clips that were handed out, and how many samples of it belong to the next one whatever comes: they can be encoded
    // before it is complete.
    std::span<const float> waiting() const { return waiting_; }
    int64_t certain() const;
    double clip_seconds() const { return static_cast<double>(waiting_.size()) / static_cast<double>(sound_rate); }  // of the clip that is coming
    double seconds() const { return static_cast<double>(given_ + static_cast<int64_t>(waiting_.size())) / static_cast<double>(sound_rate); }  // pushed so far

private:
    int64_t most() const { return static_cast<int64_t>(max_seconds_ * static_cast<double>(sound_rate)); }
    double max_seconds_;
    int64_t given_ = 0;           // samples of clips that were handed out
    std::vector<float> waiting_;
};

// Sound that is still arriving, as clips of soft tokens: cut as ClipCutter cuts, and each second of it encoded once, as it comes.
// Belongs to one thread at a time.
class ClipStream {
public:
    using OnClip = std::function<Status(Medium)>;
    // An error when the model has no audio tower.
    static Result<std::unique_ptr<ClipStream>> open(std::shared_ptr<Engine> engine, const SoundOptions& options = {});

    // Takes sound; on_clip is called with each clip that it completes, and its error is handed on.
    Status push(std::span<const float> samples, const OnClip& on_clip);
    // The rest, as a clip if there is any. Clips that follow are of the same recording.
    Status finish(const OnClip& on_clip);
    // Forgets all, also after an error: what follows is another recording.
    Status clear();

    // The tokens of the coming clip that are certain; null before the first.
    std::shared_ptr<const SoftTokens> so_far() const { return encoded_ > 0 ? stream_->so_far() : nullptr; }
    double clip_seconds() const { return cutter_.clip_seconds(); }
    double seconds() const { return cutter_.seconds(); }

private:
    explicit ClipStream(double max_seconds) : cutter_(max_seconds) {}
    Status encode(std::span<const float> clip, int64_t n);
    Status complete(bool end, const OnClip& on_clip);

    std::shared_ptr<Engine> engine_;
    SoundOptions options_;
    ClipCutter cutter_;
    std::unique_ptr<SoundStream> stream_;
    int64_t encoded_ = 0;  // samples of the coming clip that the encoder has
    int64_t n_clips_ = 0;
    double encode_s_ = 0;  // that they took
};

}  // namespace gemma3n
