// What arrives while a person talks with the model: frames of a camera, a video or a recording on standard input. A thread of its own
// encodes it as it comes.
//
// What a question gets: the newest frames that came since the last question (as many as --max-frames says), and the sound since then, its
// newest four clips. What is older is dropped. While an answer is written nothing is encoded: of the frames of that time the last stays,
// the sound waits.
#pragma once

#include "cli/commands.h"
#include "cli/sound_queue.h"
#include "gemma3n/attach.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gemma3n::cli {

class MediaStream {
public:
    static constexpr int64_t default_frames = 4, most_clips = 4;

    // A video (of a camera's device, which has no sound, or a file that stands in for one) or a recording.
    static Result<std::unique_ptr<MediaStream>> open(std::shared_ptr<Engine> engine, const MediaFile& file, const MediaFlags& flags);
    ~MediaStream();

    static bool is_device(const MediaFile& file) { return file.path.starts_with("/dev/video"); }

    // Waits until as many frames have come as a question takes, or the stream has ended. An error that came before any frame is given back.
    Status wait();
    // What the next question gets; it is gone from here. From now on nothing is encoded until resume().
    std::vector<Part> take();
    void resume();
    // What happened since it was last asked: the end of the stream, an error, dropped clips. Empty: nothing.
    std::string news();

private:
    MediaStream(std::shared_ptr<Engine> engine, const MediaFlags& flags);
    void run();
    Status frames();
    Status sounds();
    Status add(Medium m);
    std::unique_lock<std::mutex> turn();  // to encode: waits while an answer is written
    bool paused();

    std::shared_ptr<Engine> engine_;
    int64_t max_frames_;
    SoundOptions sound_;
    std::string name_;
    std::unique_ptr<VideoReader> video_;   // one of these two
    std::unique_ptr<SoundQueue> recording_;
    std::unique_ptr<ClipStream> clips_;    // null: no sound
    std::atomic<bool> stop_{false};

    std::mutex encoding_;                  // held while something is encoded: by the thread, or by take() for the rest of the sound
    std::mutex mutex_;                     // of what follows
    std::condition_variable changed_;
    std::deque<Medium> media_;             // by time
    int64_t n_frames_ = 0, n_clips_ = 0;   // of them
    int64_t lost_clips_ = 0;
    bool ended_ = false, told_ = false, paused_ = false;
    std::string deaf_;                     // that sound is left out, and why; empty once it was told
    std::optional<Error> error_;
    std::thread thread_;
};

}  // namespace gemma3n::cli
