// What is kept of a picture, a recording or a video so that it can be drawn, taken while it is decoded for the model: the file is read
// once, and the model gets what it would get.
#pragma once

#include "cli/drawing.h"
#include "gemma3n/media.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gemma3n::cli {

class Sketch {
public:
    void see(const Image& image);  // a picture, or the next frame
    void hear(std::span<const float> samples) { sound_.add(samples); }
    // Up to four frames side by side, from the first to the last; under them the sound.
    std::string drawn(const Canvas& canvas) const;

private:
    static constexpr int64_t most_drawn = 4;
    static constexpr size_t most_kept = 16;
    std::vector<Image> frames_;  // every stride_-th, small; thinned out when there are too many
    std::optional<Image> last_;  // when it is not the last of frames_
    int64_t n_seen_ = 0, stride_ = 1;
    Loudness sound_;
};

// The same reader; what it gives is seen and heard. The sketch must outlive it.
std::unique_ptr<SoundReader> sketched(std::unique_ptr<SoundReader> reader, Sketch& sketch);
// `reader` hands out frames in their own shape, and so they are drawn; what is handed on is resized to `side`, as the reader would have.
std::unique_ptr<VideoReader> sketched(std::unique_ptr<VideoReader> reader, int64_t side, Sketch& sketch);

}  // namespace gemma3n::cli
