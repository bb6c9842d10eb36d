// The USM audio encoder: 16 kHz sound to rows of features, one every reduction * 40 ms. Widths, layers and heads' sizes are read from the
// tensors' shapes. A whole clip is a stream that was fed at once: there is one way to compute.
#pragma once

#include "model/media/config.h"
#include "model/tensors.h"
#include "model/text/decoder.h"  // Tap
#include "ops/context.h"

#include <memory>
#include <span>
#include <vector>

namespace gemma3n::model {

class AudioTower {
public:
    // Binds "audio_tower.*". The checkpoint must outlive the tower.
    static Result<std::unique_ptr<AudioTower>> bind(const format::Checkpoint& checkpoint, const AudioConfig& config);
    ~AudioTower();

    int64_t width() const;  // values of a row

    // Valid rows that `n_samples` of sound give, as the reference counts them for a clip alone.
    int64_t n_rows(int64_t n_samples) const;

    // Sound in pieces of any size, rows as they become certain: whatever the pieces, the same rows bit for bit. State: a few rows a layer;
    // a second of sound costs the same at any time. Not to be used by two threads at once.
    class Stream {
    public:
        ~Stream();
        // Appends [n, width()] values to `rows`. `samples`: 16 kHz, mono, [-1, 1]. `tap` may be null; it sees "audio.*".
        Status push(Context& c, std::span<const float> samples, std::vector<float>& rows, Tap* tap);
        // The rows that were waiting for more sound, with the reference's silence after the end. The stream is empty afterwards.
        Status finish(Context& c, std::vector<float>& rows, Tap* tap);
        uint64_t bytes() const;  // held until more sound comes

    private:
        friend class AudioTower;
        struct Impl;
        explicit Stream(std::unique_ptr<Impl> impl);
        std::unique_ptr<Impl> impl_;
    };
    // The tower must outlive the stream.
    std::unique_ptr<Stream> stream() const;

    // What a stream takes from the arena, on paper; and the most that it holds beside it while a clip of up to n_samples is fed.
    uint64_t scratch_bytes(int n_threads, bool exact) const;
    uint64_t stream_bytes(int64_t n_samples) const;
    // Of values that the tower owns: vectors, and kernels turned to channels last.
    uint64_t owned_bytes() const;

    // Multiplications of one second of sound, for figures against the machine's roof.
    double multiplications_per_second() const;

private:
    AudioTower();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gemma3n::model
