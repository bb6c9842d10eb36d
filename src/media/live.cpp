// Streams that keep arriving: a thread reads, the caller takes the newest frame. Frames that nobody took are dropped and counted; their
// sound stays and goes with the frame after them.
#include "media/video.h"

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

namespace gemma3n {

namespace media {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds patience{50};
constexpr size_t max_sound = 600 * sound_rate;  // samples that wait for the caller, 38 MB; beyond them the stream waits, as a pipe's writer can

class Live : public VideoReader {
public:
    Live(std::unique_ptr<VideoReader> reader, std::shared_ptr<Gate> gate, bool paced)
        : reader_(std::move(reader)), gate_(std::move(gate)), paced_(paced), duration_(reader_->duration()), sound_duration_(reader_->sound_duration()), has_sound_(reader_->has_sound()),
          decoder_bytes_(reader_->decoder_bytes()) {
        gate_->threaded = true;
        thread_ = std::thread([this] { run(); });
    }
    ~Live() override {
        gate_->stop = true;
        thread_.join();
    }

    Result<std::optional<Frame>> next(std::vector<float>* sound) override {
        std::unique_lock lock(mutex_);
        while (!frame_ && !ended_) {
            arrived_.wait_for(lock, patience);
            if (!frame_ && !ended_ && gate_->waiting && !gate_->waiting()) return fail(Code::cancelled, "the wait for a frame was ended");
        }
        if (sound) sound->insert(sound->end(), sound_.begin(), sound_.end());
        sound_.clear();
        taken_.notify_one();
        if (!frame_ && error_) return *error_;
        return std::exchange(frame_, std::nullopt);
    }

    double duration() const override { return duration_; }
    double sound_duration() const override { return sound_duration_; }
    bool has_sound() const override { return has_sound_; }
    uint64_t decoder_bytes() const override { return decoder_bytes_; }
    int64_t dropped() const override {
        const std::lock_guard lock(mutex_);
        return dropped_;
    }
    std::string note() const override {
        const std::lock_guard lock(mutex_);
        return note_;
    }

private:
    void run() {
        try {
            read();
        } catch (const std::bad_alloc&) {
            const std::lock_guard lock(mutex_);
            error_ = std::move(no_memory_);
            ended_ = true;
            arrived_.notify_one();
        }
    }

    void read() {
        const auto start = Clock::now();
        std::vector<float> sound;
        for (bool more = true; more && !gate_->stop;) {
            sound.clear();
            auto frame = reader_->next(&sound);
            if (paced_ && frame && *frame) {
                const auto due = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>((**frame).seconds));
                while (!gate_->stop && Clock::now() < due) std::this_thread::sleep_for(std::min<Clock::duration>(due - Clock::now(), patience));
            }
            std::unique_lock lock(mutex_);
            sound_.insert(sound_.end(), sound.begin(), sound.end());
            note_ = reader_->note();
            more = frame && *frame;
            if (more) {
                if (frame_) dropped_++;
                frame_ = std::move(*frame);
            } else {
                ended_ = true;
                if (!frame) error_ = frame.error();
            }
            arrived_.notify_one();
            while (more && sound_.size() >= max_sound && !gate_->stop) taken_.wait_for(lock, patience);
        }
    }

    const std::unique_ptr<VideoReader> reader_;  // the thread's, once it runs
    const std::shared_ptr<Gate> gate_;
    const bool paced_;
    const double duration_, sound_duration_;
    const bool has_sound_;
    const uint64_t decoder_bytes_;
    mutable std::mutex mutex_;  // of what follows
    std::condition_variable arrived_, taken_;
    std::optional<Frame> frame_;
    std::vector<float> sound_;  // up to frame_
    std::optional<Error> error_;
    Error no_memory_{Code::over_budget, "the stream: out of memory for its next frame"};  // made while there is some
    std::string note_;
    int64_t dropped_ = 0;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<VideoReader> live(std::unique_ptr<VideoReader> reader, std::shared_ptr<Gate> gate, bool paced) { return std::make_unique<Live>(std::move(reader), std::move(gate), paced); }

}  // namespace media

Result<std::unique_ptr<VideoReader>> VideoReader::open(const std::string& path, const VideoOptions& options) {
    if (!(options.fps > 0 && options.fps <= 1000)) return fail(Code::bad_argument, "%s: %g frames a second: expected more than 0 and at most 1000", path.c_str(), options.fps);
    if (options.side < 0 || options.side > 16384) return fail(Code::bad_argument, "%s: frames of %lld pixels a side: expected 1 to 16384, or 0 for their own size", path.c_str(), static_cast<long long>(options.side));
    const auto gate = std::make_shared<media::Gate>();
    gate->waiting = options.waiting;
    VideoOptions inner = options;
    if (options.live) inner.waiting = [gate] { return gate->goes_on(); };
    if (path.starts_with("/dev/video")) {
        ASSIGN(auto camera, media::open_camera(path, inner));
        return options.live ? media::live(std::move(camera), gate, false) : std::move(camera);
    }
    ASSIGN(auto in, Input::open(path, inner.waiting));
    const bool file = in->seekable();
    ASSIGN(auto video, media::open_video(std::move(in), inner));
    return options.live ? media::live(std::move(video), gate, file) : std::move(video);
}

}  // namespace gemma3n
