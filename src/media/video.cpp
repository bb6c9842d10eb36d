// Frames by the clock: number k is what a player shows at k / fps seconds, the last frame that begins at that time or before (or the
// first, where none does), counted from the first frame. A frame lasts until the next one begins, the last one as long as the container says.
#include "media/video.h"

#include "media/frames.h"
#include "media/picture.h"
#include "media/resampler.h"
#include "media/track.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace gemma3n::media {

namespace {

constexpr double max_gap = 3600;            // seconds; times that jump further are broken, and the frame follows the one before
constexpr double in_step = 0.1;             // sound whose times stray less than that is taken as one piece
constexpr double max_ahead = 10;            // seconds of pictures that are read ahead to find the sound before them
constexpr size_t max_picture_bytes = 1 << 24, max_sound_bytes = 1 << 26;  // packets that wait for the other stream

struct Queue {
    std::deque<PacketHandle> packets;
    size_t bytes = 0;

    void push(PacketHandle p) {
        bytes += static_cast<size_t>(p->size);
        packets.push_back(std::move(p));
    }
    PacketHandle pop() {
        PacketHandle p = std::move(packets.front());
        packets.pop_front();
        bytes -= static_cast<size_t>(p->size);
        return p;
    }
};

// The sound track on the clock of the pictures: what has been decoded, at 16 kHz, with silence where the track has a hole.
class Soundtrack {
public:
    Soundtrack(std::unique_ptr<Decoder> decoder, std::string name) : decoder_(std::move(decoder)), name_(std::move(name)) {}

    const Decoder& decoder() const { return *decoder_; }
    Queue queue;
    double zero = 0;  // the time of the stream that the pictures begin at

    double until() const { return at_; }  // seconds that have been decoded
    bool ended() const { return ended_; }

    // Decodes what the queue holds up to `time`. `last`: no more packets will come.
    Status advance(double time, bool last) {
        while (!ended_ && at_ < time) {
            if (held_ && gap_ >= 1) {  // silence up to the frame that waits
                const double n = std::min(gap_, std::ceil((time - at_) * static_cast<double>(rate_)));
                mono_.assign(static_cast<size_t>(std::clamp(n, 1.0, 1e6)), 0);
                gap_ -= static_cast<double>(mono_.size());
                take_mono();
            } else if (held_) {
                held_ = false;
                mono_.clear();
                TRY(append_mono(name_, *frame_, mono_));
                if (frame_->sample_rate != rate_) finish(), rate_ = frame_->sample_rate;
                take_mono();
            } else if (decoder_->receive(frame_.get())) {
                hold();
            } else if (!queue.packets.empty()) {
                decoder_->send(queue.pop().get());
            } else if (last && !drained_) {
                drained_ = true;
                decoder_->send(nullptr);
            } else if (last) {
                finish();
                ended_ = true;
            } else {
                break;
            }
        }
        return {};
    }

    // Moves the sound up to `time` behind `out` (if there is one).
    void give(double time, std::vector<float>* out) {
        const int64_t n = std::min<int64_t>(static_cast<int64_t>(samples_.size()), std::llround((std::min(time, 1e9) - origin_) * sound_rate) - given_);
        if (n <= 0) return;
        const auto end = samples_.begin() + n;
        if (out) out->insert(out->end(), samples_.begin(), end);
        samples_.erase(samples_.begin(), end);
        given_ += n;
    }
    void give_all(std::vector<float>* out) {
        if (out) out->insert(out->end(), samples_.begin(), samples_.end());
        given_ += static_cast<int64_t>(samples_.size());
        samples_.clear();
    }

private:
    // A frame waits in frame_; gap_ is the silence before it, in samples. What begins before the pictures do goes with the first of them.
    void hold() {
        held_ = true;
        const bool first = rate_ == 0;
        if (first) rate_ = std::clamp<int64_t>(frame_->sample_rate, min_rate, max_rate);
        const auto time = seconds(frame_->best_effort_timestamp, decoder_->stream()->time_base);
        const double from = time ? *time - zero : at_;
        if (first && from < 0 && from > -max_ahead) origin_ = at_ = from;
        gap_ = from > at_ + (first ? 0 : in_step) && from < at_ + max_gap ? std::round((from - at_) * static_cast<double>(rate_)) : 0;
    }
    void take_mono() {
        if (!resampler_) resampler_.emplace(rate_);
        resampler_->push(mono_, samples_);
        at_ += static_cast<double>(mono_.size()) / static_cast<double>(rate_);
    }
    void finish() {
        if (resampler_) resampler_->finish(samples_);
        resampler_.reset();
    }

    std::unique_ptr<Decoder> decoder_;
    std::string name_;
    FrameHandle frame_ = new_frame();
    bool held_ = false, drained_ = false, ended_ = false;
    double gap_ = 0;
    double origin_ = 0, at_ = 0;  // seconds where samples began, and where they have come to
    int64_t rate_ = 0;
    std::vector<float> mono_;
    std::optional<Resampler> resampler_;
    std::vector<float> samples_;  // 16 kHz, those not yet given
    int64_t given_ = 0;
};

class Video : public VideoReader {
public:
    explicit Video(const VideoOptions& options) : options_(options) {}

    Status open(std::unique_ptr<Container> container) {
        container_ = std::move(container);
        const AVStream* pictures = container_->best(AVMEDIA_TYPE_VIDEO);
        if (!pictures) return fail(Code::bad_file, "%s: holds no video", container_->name().c_str());
        ASSIGN(decoder_, Decoder::open(*container_, pictures, options_.live));
        const AVStream* sound = options_.sound ? container_->best(AVMEDIA_TYPE_AUDIO) : nullptr;
        if (sound) {
            ASSIGN(auto decoder, Decoder::open(*container_, sound, true));
            sound_.emplace(std::move(decoder), container_->name());
        }
        container_->keep_only({pictures, sound});
        converter_.emplace(container_->name(), display_orientation(*pictures));
        rounding_ = std::clamp(av_q2d(pictures->time_base) / 2, 1e-6, 1e-3);
        const AVRational rate = pictures->avg_frame_rate.num > 0 ? pictures->avg_frame_rate : pictures->r_frame_rate;
        if (rate.num > 0 && rate.den > 0) usual_ = std::clamp(av_q2d(av_inv_q(rate)), 1e-3, 10.0);
        return {};
    }

    Result<std::optional<Frame>> next(std::vector<float>* sound) override {
        const double time = static_cast<double>(number_) / options_.fps;
        ASSIGN(const bool shown, show(time));
        if (!shown) {
            TRY(decoder_->worked(*container_));
            TRY(rest(sound));
            return std::optional<Frame>();
        }
        if (sound_) {
            TRY(hear(time));
            sound_->give(time, sound);
        }
        ASSIGN(Image image, converter_->picture(*shown_, options_.side));
        number_++;
        return std::optional(Frame{time, std::move(image)});
    }

    double duration() const override { return container_->duration(); }
    bool has_sound() const override { return sound_.has_value(); }
    int64_t dropped() const override { return 0; }
    std::string note() const override {
        if (const std::string n = decoder_->note(); !n.empty()) return n;
        if (const std::string n = sound_ ? sound_->decoder().note() : std::string(); !n.empty()) return n;
        return container_->note();
    }

private:
    // Makes shown_ the frame of that time; false if the video has ended before.
    Result<bool> show(double time) {
        for (;;) {
            if (have_next_ && (!have_shown_ || next_from_ <= time + rounding_)) {
                std::swap(shown_, next_);
                have_shown_ = true;
                have_next_ = false;
                shown_from_ = next_from_;
                shown_to_ = shown_from_ + lasts_;
            } else if (have_next_) {
                return true;
            } else {
                ASSIGN(const bool more, decode());
                if (!more) return have_shown_ && time < shown_to_ - rounding_;
            }
        }
    }

    // The frame after the one before, into next_.
    Result<bool> decode() {
        while (!decoder_->receive(next_.get())) {
            if (drained_) return false;
            if (pictures_.packets.empty() && !read_ended_) {
                TRY(read());
                continue;
            }
            if (!pictures_.packets.empty()) {
                decoder_->send(pictures_.pop().get());
            } else {
                drained_ = true;
                decoder_->send(nullptr);
            }
        }
        have_next_ = true;
        const AVRational base = decoder_->stream()->time_base;
#if LIBAVUTIL_VERSION_MAJOR < 58
        const double lasts = seconds(next_->pkt_duration, base).value_or(0);
#else
        const double lasts = seconds(next_->duration, base).value_or(0);
#endif
        lasts_ = lasts > 0 && lasts < max_gap ? lasts : usual_;
        const double after = have_shown_ ? shown_to_ : 0;
        const auto time = seconds(next_->best_effort_timestamp, base);
        if (!have_shown_) {
            zero_ = time.value_or(0);
            if (sound_) sound_->zero = zero_;
        }
        next_from_ = time ? *time - zero_ : after;
        if (std::fabs(next_from_ - after) > max_gap) zero_ += next_from_ - after, next_from_ = after;
        return true;
    }

    // One packet to its queue.
    Status read() {
        PacketHandle p = new_packet();
        ASSIGN(const bool more, container_->next(p.get()));
        if (!more) {
            read_ended_ = true;
        } else if (decoder_->takes(p.get())) {
            if (const auto t = seconds(p->dts != AV_NOPTS_VALUE ? p->dts : p->pts, decoder_->stream()->time_base)) read_until_ = *t - zero_;
            pictures_.push(std::move(p));
        } else if (sound_ && sound_->decoder().takes(p.get())) {
            sound_->queue.push(std::move(p));
            if (sound_->queue.bytes > max_sound_bytes) return fail(Code::unsupported, "%s: its sound lies more than %zu bytes ahead of its pictures", container_->name().c_str(), max_sound_bytes);
        }
        return {};
    }

    // Decodes sound up to `time`, reading ahead for it where that does not take too much. A live stream is not waited for: its sound
    // comes with a later frame.
    Status hear(double time) {
        TRY(sound_->advance(time, read_ended_));
        while (!options_.live && !sound_->ended() && sound_->until() < time + in_step && pictures_.bytes < max_picture_bytes && read_until_ < time + max_ahead) {
            if (!read_ended_) TRY(read());
            TRY(sound_->advance(time + in_step, read_ended_));
        }
        return {};
    }

    Status rest(std::vector<float>* sound) {
        if (!sound_) return {};
        while (!sound_->ended()) {
            if (!read_ended_) TRY(read());
            TRY(sound_->advance(1e18, read_ended_));
            sound_->give_all(sound);
        }
        sound_->give_all(sound);
        return {};
    }

    VideoOptions options_;
    std::unique_ptr<Container> container_;
    std::unique_ptr<Decoder> decoder_;
    std::optional<Soundtrack> sound_;
    std::optional<FrameConverter> converter_;
    double zero_ = 0, usual_ = 0.04;  // seconds: the time of the first frame, and how long one lasts that does not say so
    double rounding_ = 0;             // half a unit of the stream's times: they were rounded to whole ones
    Queue pictures_;
    double read_until_ = 0;
    bool read_ended_ = false, drained_ = false;
    FrameHandle shown_ = new_frame(), next_ = new_frame();
    bool have_shown_ = false, have_next_ = false;
    double shown_from_ = 0, shown_to_ = 0, next_from_ = 0, lasts_ = 0;
    int64_t number_ = 0;  // of the frame that is next to be given out
};

Result<std::unique_ptr<VideoReader>> opened(Result<std::unique_ptr<Container>> container, const VideoOptions& options) {
    if (!container) return container.error();
    auto video = std::make_unique<Video>(options);
    TRY(video->open(std::move(*container)));
    return std::unique_ptr<VideoReader>(std::move(video));
}

}  // namespace

Result<std::unique_ptr<VideoReader>> open_video(std::unique_ptr<Input> in, const VideoOptions& options) {
    ASSIGN(const auto begin, in->peek(1));
    if (begin.empty()) return fail(Code::bad_file, "%s: is empty: expected a video", in->name().c_str());
    return opened(Container::open(std::move(in), options.waiting), options);
}

Result<std::unique_ptr<VideoReader>> open_camera(const std::string& path, const VideoOptions& options) {
    return opened(Container::open_device(path, options.waiting), options);
}

}  // namespace gemma3n::media
