// Samples as files and decoders have them, to one channel of floats in [-1, 1]: the mean of the channels. The same arithmetic wherever
// they come from, so that a sound is the same out of every container.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gemma3n::media {

enum class Sample { u8, s16, s24, s32, s64, f32, f64, a_law, mu_law };  // little-endian

int64_t bytes_per(Sample s);

// n samples of every channel to n floats behind `mono`. `channels` points at each one's first sample; `stride` bytes lie between
// neighbours. What is not a number counts as 0, floats beyond [-1, 1] are cut off there.
void mix(Sample kind, std::span<const std::byte* const> channels, int64_t stride, int64_t n, std::vector<float>& mono);

}  // namespace gemma3n::media
