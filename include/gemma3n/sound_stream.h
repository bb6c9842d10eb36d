// A clip that is still arriving: encoded as it comes, so that an answer can follow at once.
#pragma once

#include "gemma3n/options.h"
#include "gemma3n/prompt.h"
#include "gemma3n/status.h"

#include <memory>
#include <span>

namespace gemma3n {

// Belongs to one thread at a time; keeps its engine alive. Whatever the pieces, the soft tokens are those of encode_sound, bit for bit.
class SoundStream {
public:
    ~SoundStream();
    SoundStream(const SoundStream&) = delete;

    // Sound of 16 kHz, mono. More than a clip holds is refused and changes nothing.
    Status push(std::span<const float> samples);
    double seconds() const;  // pushed so far

    // The tokens that are certain, 160 ms each as published: some 100 ms of sound are still needed for the next. Null before the first one.
    std::shared_ptr<const SoftTokens> so_far() const;
    // All of the clip. The stream is empty afterwards and takes the next clip.
    Result<std::shared_ptr<const SoftTokens>> finish(const SoundOptions& options = {});

    struct Impl;
    Impl& impl() { return *impl_; }

private:
    SoundStream();
    friend class Engine;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gemma3n
