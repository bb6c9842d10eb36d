// Where sound comes from, at the rate its file has.
#pragma once

#include "base/input.h"
#include "gemma3n/media.h"

namespace gemma3n::media {

class SoundSource {
public:
    virtual ~SoundSource() = default;
    // Appends mono samples: what has arrived, about n at most, at least one unless the sound has ended: then false.
    virtual Result<bool> read(int64_t n, std::vector<float>& mono) = 0;
    virtual int64_t rate() const = 0;      // of the samples of the latest read; before it, of those to come
    virtual double duration() const = 0;   // seconds, 0 if unknown
    virtual std::string note() const = 0;  // what is missing, empty if nothing
};

Result<std::unique_ptr<SoundSource>> open_wav(std::unique_ptr<Input> in);
// A sound track that FFmpeg finds. A build without it has a sentence (without.cpp).
Result<std::unique_ptr<SoundSource>> open_container(std::unique_ptr<Input> in);

// Whether the input is a WAV file of samples that open_wav reads; other kinds of WAV are FFmpeg's.
Result<bool> is_plain_wav(Input& in);

// WAV or container, told by its beginning.
Result<std::unique_ptr<SoundSource>> open_sound(std::unique_ptr<Input> in);

Status check_rate(const std::string& name, int64_t rate, int64_t channels);

}  // namespace gemma3n::media
