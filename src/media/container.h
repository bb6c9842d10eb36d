// A file, a pipe or a device that FFmpeg takes apart into packets. Nothing but the input is opened: what a playlist names is not.
#pragma once

#include "base/input.h"
#include "gemma3n/media.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace gemma3n::media {

struct Freed {
    void operator()(AVPacket* p) const { av_packet_free(&p); }
    void operator()(AVFrame* f) const { av_frame_free(&f); }
    void operator()(AVCodecContext* c) const { avcodec_free_context(&c); }
};
using PacketHandle = std::unique_ptr<AVPacket, Freed>;
using FrameHandle = std::unique_ptr<AVFrame, Freed>;
inline PacketHandle new_packet() { return PacketHandle(av_packet_alloc()); }
inline FrameHandle new_frame() { return FrameHandle(av_frame_alloc()); }

// FFmpeg's word for an error, with what it logged on this thread since the last call. It prints nothing.
std::string explained(int error);

class Container {
public:
    static Result<std::unique_ptr<Container>> open(std::unique_ptr<Input> in, const Waiting& waiting);
    static Result<std::unique_ptr<Container>> open_device(const std::string& path, const Waiting& waiting);  // V4L2
    ~Container();
    Container(const Container&) = delete;

    const std::string& name() const { return name_; }
    bool is_file() const { return in_ && in_->seekable(); }
    // The stream of that kind that a player would take; null if there is none. A cover picture is no video.
    AVStream* best(AVMediaType kind) const;
    // Packets of other streams are passed over.
    void keep_only(std::initializer_list<const AVStream*> streams);
    // False at the end. What cannot be read any further is an end with a note.
    Result<bool> next(AVPacket* packet);

    // Seconds of a stream, of all of it where the container does not tell them apart; 0 if unknown, or guessed by the bytes.
    double duration(const AVStream* stream) const;
    const std::string& note() const { return note_; }

private:
    Container() = default;
    bool goes_on() const;
    Status check_pipe();
    Status start_reading(const char* what, const AVInputFormat* kind, const char* url);

    std::string name_;
    std::unique_ptr<Input> in_;
    Waiting waiting_;
    AVIOContext* io_ = nullptr;
    AVFormatContext* format_ = nullptr;
    std::unique_ptr<Error> failure_;  // of the input, or that the wait was ended
    std::string note_;
    bool ended_ = false;
};

// A time of a stream in seconds; nothing if it has none.
std::optional<double> seconds(int64_t time, AVRational base);

}  // namespace gemma3n::media
