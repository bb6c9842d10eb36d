// Video in step with its sound, as it lies in the file.
#pragma once

#include "base/input.h"
#include "gemma3n/media.h"

#include <atomic>

namespace gemma3n::media {

Result<std::unique_ptr<VideoReader>> open_video(std::unique_ptr<Input> in, const VideoOptions& options);
Result<std::unique_ptr<VideoReader>> open_camera(const std::string& path, const VideoOptions& options);

// Says whether a wait goes on: before the thread runs, as the caller says; then, until the reader is destroyed.
struct Gate {
    Waiting waiting;
    std::atomic<bool> threaded{false}, stop{false};
    bool goes_on() const { return threaded ? !stop : !waiting || waiting(); }
};

// Runs a reader on a thread of its own and keeps the newest frame. `paced`: at the speed of the clock, as a file standing in for a
// stream has it.
std::unique_ptr<VideoReader> live(std::unique_ptr<VideoReader> reader, std::shared_ptr<Gate> gate, bool paced);

}  // namespace gemma3n::media
