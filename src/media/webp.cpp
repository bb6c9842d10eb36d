// WebP through libwebp: the picture, or the first one of an animation on its black canvas. Alpha is dropped, not blended.
#include "media/picture.h"

#include <webp/decode.h>
#include <webp/demux.h>

namespace gemma3n::media {

namespace {

struct Demuxer {
    WebPDemuxer* demux;
    ~Demuxer() { WebPDemuxDelete(demux); }
};
struct Frame {
    WebPIterator at{};
    ~Frame() { WebPDemuxReleaseIterator(&at); }
};
struct Chunk {
    WebPChunkIterator at{};
    ~Chunk() { WebPDemuxReleaseChunkIterator(&at); }
};

}  // namespace

Result<Picture> decode_webp(Bytes bytes, const std::string& name, int64_t max_pixels) {
    const auto broken = [&](const char* how) { return fail(Code::bad_file, "%s: is a broken WebP picture: %s", name.c_str(), how); };
    const WebPData data{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
    const Demuxer d{WebPDemux(&data)};
    if (!d.demux) return broken("the file is cut short or its chunks are no WebP's");
    Picture p;
    const int64_t w = p.image.width = WebPDemuxGetI(d.demux, WEBP_FF_CANVAS_WIDTH), h = p.image.height = WebPDemuxGetI(d.demux, WEBP_FF_CANVAS_HEIGHT);
    TRY(check_size(name, w, h, max_pixels));
    Frame frame;
    if (!WebPDemuxGetFrame(d.demux, 1, &frame.at)) return broken("it holds no picture");
    const WebPIterator& f = frame.at;
    WebPBitstreamFeatures stream;
    if (WebPGetFeatures(f.fragment.bytes, f.fragment.size, &stream) != VP8_STATUS_OK) return broken("its picture has no good header");
    if (stream.width != f.width || stream.height != f.height || f.x_offset < 0 || f.y_offset < 0 || f.x_offset + int64_t{f.width} > w || f.y_offset + int64_t{f.height} > h) {
        return broken("its picture lies outside of its canvas");
    }
    p.image.rgb.resize(static_cast<size_t>(w * h * 3));
    uint8_t* to = p.image.rgb.data() + (f.y_offset * w + f.x_offset) * 3;
    const size_t room = static_cast<size_t>(((f.height - 1) * w + f.width) * 3);
    if (!WebPDecodeRGBInto(f.fragment.bytes, f.fragment.size, to, room, static_cast<int>(w * 3))) return broken("its picture cannot be decoded");
    Chunk exif;
    if (WebPDemuxGetChunk(d.demux, "EXIF", 1, &exif.at)) p.orientation = exif_orientation(std::as_bytes(std::span(exif.at.chunk.bytes, exif.at.chunk.size)));
    return p;
}

}  // namespace gemma3n::media
