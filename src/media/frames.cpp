#include "media/frames.h"

#include "media/picture.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstring>

namespace gemma3n::media {

namespace {

// Of 3 x 3 numbers in the file, the four that turn: a point (x, y) of the frame is shown at (a x + c y, b x + d y).
int orientation_of(const int32_t* matrix) {
    const auto sign = [](int32_t v) { return v > 0 ? 1 : v < 0 ? -1 : 0; };
    const int a = sign(matrix[0]), b = sign(matrix[1]), c = sign(matrix[3]), d = sign(matrix[4]);
    if (b == 0 && c == 0 && a != 0 && d != 0) return a > 0 ? (d > 0 ? 1 : 4) : (d > 0 ? 2 : 3);
    if (a == 0 && d == 0 && b != 0 && c != 0) return b > 0 ? (c > 0 ? 5 : 6) : (c > 0 ? 8 : 7);
    return 1;
}

}  // namespace

int display_orientation(const AVStream& stream) {
    const uint8_t* data = nullptr;
    size_t n = 0;
#if LIBAVCODEC_VERSION_MAJOR < 61
    data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &n);
#else
    const AVCodecParameters& p = *stream.codecpar;
    if (const AVPacketSideData* s = av_packet_side_data_get(p.coded_side_data, p.nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX)) data = s->data, n = s->size;
#endif
    int32_t matrix[9];
    if (!data || n < sizeof matrix) return 1;
    memcpy(matrix, data, sizeof matrix);
    return orientation_of(matrix);
}

FrameConverter::~FrameConverter() { sws_freeContext(sws_); }

// swscale only changes the colours, exactly rounded and the same on every CPU; the size is changed by the filter that pictures have.
Result<Image> FrameConverter::picture(const AVFrame& frame, int64_t side) {
    const int w = frame.width, h = frame.height;
    TRY(check_size(name_, w, h));
    const auto format = static_cast<AVPixelFormat>(frame.format);
    sws_ = sws_getCachedContext(sws_, w, h, format, w, h, AV_PIX_FMT_RGB24, SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT, nullptr, nullptr, nullptr);
    if (!sws_) return fail(Code::unsupported, "%s: its frames of %d x %d pixels have the form '%s', which this FFmpeg cannot turn to RGB", name_.c_str(), w, h, av_get_pix_fmt_name(format));
    const int* table = sws_getCoefficients(frame.colorspace);
    const int full = frame.color_range == AVCOL_RANGE_JPEG || format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P || format == AV_PIX_FMT_YUVJ444P;
    sws_setColorspaceDetails(sws_, table, full, table, 1, 0, 1 << 16, 1 << 16);
    if (rgb_->width != w || rgb_->height != h) {
        av_frame_unref(rgb_.get());
        rgb_->width = w;
        rgb_->height = h;
        rgb_->format = AV_PIX_FMT_RGB24;
        if (av_frame_get_buffer(rgb_.get(), 0) < 0) return fail(Code::io, "%s: no memory for a frame of %d x %d pixels", name_.c_str(), w, h);
    }
    if (sws_scale(sws_, frame.data, frame.linesize, 0, h, rgb_->data, rgb_->linesize) < 0) return fail(Code::io, "%s: a frame cannot be turned to RGB", name_.c_str());
    Image image{w, h, std::vector<uint8_t>(static_cast<size_t>(w) * static_cast<size_t>(h) * 3)};
    for (int y = 0; y < h; y++) memcpy(image.rgb.data() + static_cast<size_t>(y) * static_cast<size_t>(w) * 3, rgb_->data[0] + static_cast<ptrdiff_t>(y) * rgb_->linesize[0], static_cast<size_t>(w) * 3);
    image = upright(std::move(image), orientation_);
    if (side <= 0) return image;
    return resized(image, side);
}

}  // namespace gemma3n::media
