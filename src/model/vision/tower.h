// MobileNet-V5 with its multi-scale fusion: pixels to rows of features. Widths, depths, kinds of blocks, heads, kernel sizes and strides
// are read from the tensors' names and shapes; only the order of operations is fixed here.
#pragma once

#include "model/media/config.h"
#include "model/tensors.h"
#include "model/text/decoder.h"  // Tap
#include "ops/context.h"

#include <memory>
#include <span>

namespace gemma3n::model {

class VisionTower {
public:
    // Binds "vision_tower.timm_model.*". The checkpoint must outlive the tower.
    static Result<std::unique_ptr<VisionTower>> bind(const format::Checkpoint& checkpoint, const VisionConfig& config);
    ~VisionTower();

    int64_t width() const;     // values of a row
    int64_t n_tokens() const;  // rows

    // A picture's side must be a multiple of this, and at least this.
    int64_t side_multiple() const;
    // OK for a side that encode() takes.
    Status check_side(int64_t side) const;

    // pixels: [3, side, side] f32 in [0, 1], RGB. out [n_tokens, width]: row y * fusion side + x, times sqrt(width) as the reference hands
    // it to embed_vision. Scratch stays below 250 MB at 768 pixels for the published tower. `tap` may be null; it sees "vision.*".
    Status encode(Context& c, std::span<const float> pixels, int64_t side, View out, Tap* tap) const;

    // What encode() takes from the arena for a picture of that side, which check_side() accepts, on paper.
    uint64_t scratch_bytes(int64_t side, int n_threads, bool exact) const;
    // Of values that the tower owns: vectors, and kernels turned to channels last.
    uint64_t owned_bytes() const;

    // Multiplications of one picture of that side, for figures against the machine's roof.
    double multiplications(int64_t side) const;

private:
    VisionTower();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gemma3n::model
