// Decoded frames to pictures: RGB, upright.
#pragma once

#include "media/container.h"

struct SwsContext;

namespace gemma3n::media {

// The EXIF orientation that the stream's display matrix amounts to; 1 without one, or where it turns by no quarter.
int display_orientation(const AVStream& stream);

class FrameConverter {
public:
    FrameConverter(std::string name, int orientation) : name_(std::move(name)), orientation_(orientation) {}
    ~FrameConverter();
    FrameConverter(const FrameConverter&) = delete;
    // `side` > 0: resized to side x side.
    Result<Image> picture(const AVFrame& frame, int64_t side);

private:
    std::string name_;
    int orientation_;
    SwsContext* sws_ = nullptr;
    FrameHandle rgb_ = new_frame();
};

}  // namespace gemma3n::media
