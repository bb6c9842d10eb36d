// The sound track of a video, on the clock of its pictures: what has been decoded, at 16 kHz, with silence where the track has a hole.
#pragma once

#include "media/resampler.h"
#include "media/track.h"

#include <deque>
#include <optional>

namespace gemma3n::media {

inline constexpr double max_gap = 3600;  // seconds; times that jump further are broken, and what has them follows what came before
inline constexpr double max_filled = 3600;  // seconds of silence in all that holes of a track are filled with; a track with more is refused
inline constexpr double in_step = 0.1;   // seconds; sound whose times stray less than that is taken as one piece

// Packets that wait for their decoder.
struct Queue {
    std::deque<PacketHandle> packets;
    size_t bytes = 0;

    void push(PacketHandle p) {
        bytes += static_cast<size_t>(p->size);
        packets.push_back(std::move(p));
    }
    PacketHandle pop() {
        PacketHandle p = std::move(packets.front());
        packets.pop_front();
        bytes -= static_cast<size_t>(p->size);
        return p;
    }
};

class Soundtrack {
public:
    Soundtrack(std::unique_ptr<Decoder> decoder, std::string name) : decoder_(std::move(decoder)), name_(std::move(name)) {}

    const Decoder& decoder() const { return *decoder_; }
    Queue queue;
    double zero = 0;  // the time of the stream that the pictures begin at

    double until() const { return at_; }  // seconds that have been decoded
    bool ended() const { return ended_; }

    // Decodes what the queue holds up to `time`. `last`: no more packets will come.
    Status advance(double time, bool last);
    // Moves the sound up to `time`, or all that has been decoded, behind `out` (if there is one).
    void give(double time, std::vector<float>* out);
    void give_all(std::vector<float>* out);

private:
    Status hold();
    void take_mono();
    void finish();

    std::unique_ptr<Decoder> decoder_;
    std::string name_;
    FrameHandle frame_ = new_frame();
    bool held_ = false, drained_ = false, ended_ = false;
    double gap_ = 0;     // samples
    double filled_ = 0;  // seconds of all holes so far
    double origin_ = 0, at_ = 0;  // seconds where samples began, and where they have come to
    int64_t rate_ = 0;
    std::vector<float> mono_;
    std::optional<Resampler> resampler_;
    std::vector<float> samples_;  // 16 kHz, those not yet given
    int64_t given_ = 0;
};

}  // namespace gemma3n::media
