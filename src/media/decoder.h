// One stream's packets to frames. A damaged packet is passed over, or painted over by the decoder, and counted; only a stream of nothing
// else is an error.
#pragma once

#include "media/container.h"
#include "media/footprint.h"

#include <optional>

namespace gemma3n::media {

class Decoder {
public:
    static Result<std::unique_ptr<Decoder>> open(const Container& container, const AVStream* stream, bool low_delay);

    void send(const AVPacket* packet);  // null: no more will come
    bool receive(AVFrame* frame);       // false: it wants another packet, or all is out

    const AVStream* stream() const { return stream_; }
    bool takes(const AVPacket* p) const { return p->stream_index == stream_->index; }
    // Asked at the end: an error if no frame came.
    Status worked(const Container& container) const;
    std::string note() const;  // empty if nothing was damaged
    uint64_t held_bytes() const { return held_->bytes(); }

private:
    std::string name_;
    const char* kind_ = "";  // "sound", "video"
    const AVStream* stream_ = nullptr;
    std::unique_ptr<AVCodecContext, Freed> codec_;
    std::optional<Footprint> held_;
    int64_t packets_ = 0, damaged_ = 0, frames_ = 0;
    std::string complaint_;  // about the first damaged packet
};

}  // namespace gemma3n::media
