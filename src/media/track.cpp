// The sound track of a container. FFmpeg decodes; mixing and the rate are ours, so that a WAV file gives the same samples either way.
#include "media/track.h"

#include "media/samples.h"
#include "media/sound.h"

namespace gemma3n::media {

Status append_mono(const std::string& name, const AVFrame& frame, std::vector<float>& mono) {
    const auto format = static_cast<AVSampleFormat>(frame.format);
    const int64_t n = frame.nb_samples, n_channels = frame.ch_layout.nb_channels;
    TRY(check_rate(name, frame.sample_rate, n_channels));
    Sample kind;
    switch (av_get_packed_sample_fmt(format)) {
        case AV_SAMPLE_FMT_U8: kind = Sample::u8; break;
        case AV_SAMPLE_FMT_S16: kind = Sample::s16; break;
        case AV_SAMPLE_FMT_S32: kind = Sample::s32; break;
        case AV_SAMPLE_FMT_S64: kind = Sample::s64; break;
        case AV_SAMPLE_FMT_FLT: kind = Sample::f32; break;
        case AV_SAMPLE_FMT_DBL: kind = Sample::f64; break;
        default: return fail(Code::unsupported, "%s: its sound has samples of an unknown form", name.c_str());
    }
    const bool planar = av_sample_fmt_is_planar(format);
    std::vector<const std::byte*> channels(static_cast<size_t>(n_channels));
    for (size_t c = 0; c < channels.size(); c++) {
        const uint8_t* p = planar ? frame.extended_data[c] : frame.extended_data[0] + c * static_cast<size_t>(bytes_per(kind));
        channels[c] = reinterpret_cast<const std::byte*>(p);
    }
    mix(kind, channels, bytes_per(kind) * (planar ? 1 : n_channels), n, mono);
    return {};
}

namespace {

class Track : public SoundSource {
public:
    Status open(std::unique_ptr<Input> in) {
        ASSIGN(container_, Container::open(std::move(in), {}));
        const AVStream* stream = container_->best(AVMEDIA_TYPE_AUDIO);
        if (!stream) return fail(Code::bad_file, "%s: holds no sound", container_->name().c_str());
        container_->keep_only({stream});
        ASSIGN(decoder_, Decoder::open(*container_, stream, true));
        rate_ = stream->codecpar->sample_rate;
        return check_rate(container_->name(), rate_, stream->codecpar->ch_layout.nb_channels);
    }

    Result<bool> read(int64_t, std::vector<float>& mono) override {
        const size_t had = mono.size();
        while (mono.size() == had) {
            if (decoder_->receive(frame_.get())) {
                TRY(append_mono(container_->name(), *frame_, mono));
                rate_ = frame_->sample_rate;
                continue;
            }
            if (ended_) {
                TRY(decoder_->worked(*container_));
                return false;
            }
            ASSIGN(const bool more, container_->next(packet_.get()));
            ended_ = !more;
            if (!more) decoder_->send(nullptr);
            else if (decoder_->takes(packet_.get())) decoder_->send(packet_.get());
            av_packet_unref(packet_.get());
        }
        return true;
    }

    int64_t rate() const override { return rate_; }
    double duration() const override { return container_->duration(decoder_->stream()); }
    std::string note() const override {
        const std::string n = decoder_->note();
        return n.empty() ? container_->note() : n;
    }

private:
    std::unique_ptr<Container> container_;
    std::unique_ptr<Decoder> decoder_;
    PacketHandle packet_ = new_packet();
    FrameHandle frame_ = new_frame();
    int64_t rate_ = 0;
    bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<SoundSource>> open_container(std::unique_ptr<Input> in) {
    auto track = std::make_unique<Track>();
    TRY(track->open(std::move(in)));
    return std::unique_ptr<SoundSource>(std::move(track));
}

}  // namespace gemma3n::media
