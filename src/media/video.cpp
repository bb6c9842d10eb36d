// Frames by the clock: number k is what a player shows at k / fps seconds, the last frame that begins at that time or before (or the
// first, where none does), counted from the first frame. A frame lasts until the next one begins, the last one as long as the container says.
#include "media/video.h"

#include "media/frames.h"
#include "media/soundtrack.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::media {

namespace {

constexpr double max_ahead = 10;            // seconds of pictures that are read ahead to find the sound before them
constexpr double rest_step = 60;            // seconds of sound behind the last frame that are decoded before they are handed over
constexpr size_t max_picture_bytes = 1 << 24, max_sound_bytes = 1 << 26;  // packets that wait for the other stream

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
            auto decoder = Decoder::open(*container_, sound, true);
            if (decoder) sound_.emplace(std::move(*decoder), container_->name());
            else without_sound_ = decoder.error().message, sound = nullptr;
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

    double duration() const override { return container_->duration(decoder_->stream()); }
    double sound_duration() const override { return sound_ ? container_->duration(sound_->decoder().stream()) : 0; }
    bool has_sound() const override { return sound_.has_value(); }
    int64_t dropped() const override { return 0; }
    uint64_t decoder_bytes() const override { return sound_decoder_bytes + decoder_->held_bytes(); }
    std::string note() const override {
        if (const std::string n = decoder_->note(); !n.empty()) return n;
        if (const std::string n = sound_ ? sound_->decoder().note() : std::string(); !n.empty()) return n;
        return container_->note().empty() ? without_sound_ : container_->note();
    }

private:
    // Makes shown_ the frame of that time; false if the video has ended before.
    Result<bool> show(double time) {
        for (;;) {
            if (have_next_ && (!have_shown_ || next_from_ <= time + rounding_)) {
                std::swap(shown_, next_);
                have_shown_ = true;
                have_next_ = false;
                shown_to_ = next_from_ + lasts_;
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
            if (const auto t = seconds(p->dts != AV_NOPTS_VALUE ? p->dts : p->pts, decoder_->stream()->time_base)) read_until_ = *t;
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
        while (!options_.live && !sound_->ended() && sound_->until() < time + in_step && pictures_.bytes < max_picture_bytes && read_until_ - zero_ < time + max_ahead) {
            if (!read_ended_) TRY(read());
            TRY(sound_->advance(time + in_step, read_ended_));
        }
        return {};
    }

    Status rest(std::vector<float>* sound) {
        if (!sound_) return {};
        while (!sound_->ended()) {
            const double to = sound_->until() + rest_step;
            TRY(sound_->advance(to, read_ended_));
            sound_->give_all(sound);
            if (sound_->until() < to && !read_ended_) TRY(read());
        }
        sound_->give_all(sound);
        return {};
    }

    VideoOptions options_;
    std::unique_ptr<Container> container_;
    std::unique_ptr<Decoder> decoder_;
    std::optional<Soundtrack> sound_;
    std::string without_sound_;  // why a track is left out
    std::optional<FrameConverter> converter_;
    double zero_ = 0, usual_ = 0.04;  // seconds: the time of the first frame, and how long one lasts that does not say so
    double rounding_ = 0;             // half a unit of the stream's times: they were rounded to whole ones
    Queue pictures_;
    double read_until_ = 0;  // in the stream's own times
    bool read_ended_ = false, drained_ = false;
    FrameHandle shown_ = new_frame(), next_ = new_frame();
    bool have_shown_ = false, have_next_ = false;
    double shown_to_ = 0, next_from_ = 0, lasts_ = 0;
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
