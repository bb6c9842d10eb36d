// What decoders hold, by reckoning: a limit of memory counts it, since nobody can ask FFmpeg.
#pragma once

#include <cstdint>

namespace gemma3n::media {

class Footprint {
public:
    // So much, until it is destroyed. The tables that come with the first one stay for as long as the process does.
    explicit Footprint(uint64_t bytes);
    ~Footprint();
    Footprint(const Footprint&) = delete;
    Footprint& operator=(const Footprint&) = delete;
    uint64_t bytes() const { return bytes_; }

    static uint64_t now();  // of all there are; 0 where nothing has been decoded yet

private:
    uint64_t bytes_;
};

}  // namespace gemma3n::media
