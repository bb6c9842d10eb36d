// Convolutions over maps, by bands of output rows. Those of 1 x 1 are ops::linear; full ones are ops::linear over gathered patches.
#pragma once

#include "ops/context.h"
#include "ops/map.h"

namespace gemma3n::ops {

// What output rows [first, first + n) of a full convolution read: out [n * output width, kernel * kernel * channels], pixel by pixel
// [ky][kx][channel], zeros outside the map.
void patches(Context& c, const Map& in, Window window, int64_t first, int64_t n, View out);

// Output rows [first, first + n) of a convolution of each channel with its own kernel. weights [kernel * kernel, channels] f32: taps
// first. `in` must hold the rows that they read; out [n * output width, channels].
void depthwise(Context& c, const Map& in, View weights, Window window, int64_t first, int64_t n, View out);

}  // namespace gemma3n::ops
