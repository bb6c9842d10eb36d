#include "media/decoder.h"

#include "media/picture.h"

extern "C" {
#include <libavutil/imgutils.h>
}

#include <algorithm>

namespace gemma3n::media {

namespace {

// Pictures that a decoder keeps for reference, in its threads and for who takes them: 18 were held of H.264 on two cores.
constexpr uint64_t pictures_held = 20;

uint64_t bytes_of(const AVCodecParameters* p) {
    if (p->codec_type != AVMEDIA_TYPE_VIDEO) return 0;
    const auto format = p->format >= 0 ? static_cast<AVPixelFormat>(p->format) : AV_PIX_FMT_YUV444P;
    return pictures_held * static_cast<uint64_t>(std::max(av_image_get_buffer_size(format, p->width, p->height, 32), 0));
}

}  // namespace

Result<std::unique_ptr<Decoder>> Decoder::open(const Container& container, const AVStream* stream, bool low_delay) {
    auto d = std::make_unique<Decoder>();
    const AVCodecParameters* p = stream->codecpar;
    d->name_ = container.name();
    d->kind_ = p->codec_type == AVMEDIA_TYPE_AUDIO ? "sound" : "video";
    d->stream_ = stream;
    const auto word = [&] { return shown(avcodec_get_name(p->codec_id)); };
    const AVCodec* codec = avcodec_find_decoder(p->codec_id);
    if (!codec) return fail(Code::unsupported, "%s: its %s is '%s', which this FFmpeg cannot decode", d->name_.c_str(), d->kind_, word().c_str());
    if (p->codec_type == AVMEDIA_TYPE_VIDEO) TRY(check_size(d->name_, p->width, p->height));
    d->held_.emplace(bytes_of(p));
    d->codec_.reset(avcodec_alloc_context3(codec));
    if (!d->codec_) return fail(Code::io, "%s: FFmpeg has no memory for it", d->name_.c_str());
    d->codec_->max_pixels = max_image_pixels;
    d->codec_->max_samples = int64_t{1} << 22;
    d->codec_->pkt_timebase = stream->time_base;
    d->codec_->thread_count = p->codec_type == AVMEDIA_TYPE_VIDEO ? 0 : 1;            // 0: as many as there are cores
    d->codec_->thread_type = low_delay ? FF_THREAD_SLICE : FF_THREAD_SLICE | FF_THREAD_FRAME;  // threads by frames hold frames back
    int error = avcodec_parameters_to_context(d->codec_.get(), p);
    if (error >= 0) error = avcodec_open2(d->codec_.get(), codec, nullptr);
    if (error < 0) return fail(Code::bad_file, "%s: its %s ('%s') cannot be decoded: %s", d->name_.c_str(), d->kind_, word().c_str(), explained(error).c_str());
    return d;
}

void Decoder::send(const AVPacket* packet) {
    if (packet) packets_++;
    const int error = avcodec_send_packet(codec_.get(), packet);
    if (error >= 0 || error == AVERROR_EOF) return;
    if (damaged_++ == 0) complaint_ = explained(error);
}

bool Decoder::receive(AVFrame* frame) {
    for (;;) {
        const int error = avcodec_receive_frame(codec_.get(), frame);
        if (error >= 0) {
            frames_++;
            if ((frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags) damaged_++;
            return true;
        }
        if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return false;
        if (damaged_++ == 0) complaint_ = explained(error);
        if (damaged_ > packets_ + 1) return false;  // an error for each packet, and no more of them
    }
}

Status Decoder::worked(const Container& container) const {
    if (frames_ > 0) return {};
    if (packets_ == 0 && !container.note().empty()) return Error{Code::bad_file, container.note()};
    if (packets_ == 0) return fail(Code::bad_file, "%s: holds no %s that can be decoded", name_.c_str(), kind_);
    return fail(Code::bad_file, "%s: none of its %lld packets of %s can be decoded: %s", name_.c_str(), static_cast<long long>(packets_), kind_, complaint_.empty() ? "they hold nothing" : complaint_.c_str());
}

std::string Decoder::note() const {
    if (damaged_ == 0) return {};
    return text("%s: %lld of %lld packets of %s are damaged and were left out or painted over%s%s", name_.c_str(), static_cast<long long>(damaged_), static_cast<long long>(packets_), kind_,
                complaint_.empty() ? "" : ": ", complaint_.c_str());
}

}  // namespace gemma3n::media
