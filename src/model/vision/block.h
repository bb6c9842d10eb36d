// A block of the tower: one map to another. Its kind is told by its tensors: conv_exp an edge residual, pw_exp an inverted residual, attn an
// attention block.
#pragma once

#include "model/tapped.h"
#include "model/vision/parts.h"
#include "ops/context.h"

#include <memory>

namespace gemma3n::model::vision {

// Values of a band: how much of an expanded map is held at a time. 8 MiB stay in the third-level cache; the weights are read once a band.
inline constexpr int64_t band_values = 2 << 20;

class Block {
public:
    virtual ~Block() = default;
    virtual int64_t outputs() const = 0;  // channels
    virtual int64_t stride() const = 0;
    // out: [ceil(height / stride), ceil(width / stride)] pixels of outputs() channels; not in's memory.
    virtual void run(Context& c, const ops::Map& in, const ops::Map& out, const Tapped& tapped) const = 0;
    // What run() takes from the arena for an input of that many pixels a side, on paper.
    virtual void plan(ScratchPlan& p, int64_t height, int64_t width) const = 0;
    // Multiplications for an input of that many pixels a side.
    virtual double multiplications(int64_t height, int64_t width) const = 0;
};

// The block whose names start with `name` + ".". stride is 2 in the first block of a stage.
Result<std::unique_ptr<Block>> bind_block(Parts& parts, const std::string& name, int64_t inputs, int64_t stride, float eps);

// Every pixel of x: norm over its channels; then GELU if asked.
void norm(Context& c, View x, View weight, float eps, View out);
void norm_gelu(Context& c, View x, View weight, float eps);

}  // namespace gemma3n::model::vision
