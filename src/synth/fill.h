// Random values of a tensor as they lie in a file. Quantised blocks are made directly: random codes under scales that give the right
// deviation, offsets that cancel.
//
// A tensor is cut into chunks of a fixed number of values; each chunk has its own stream of random bits, seeded by the seed, the
// tensor's canonical name and the chunk's number. So the bytes do not depend on who writes which chunk, and a tensor has the same
// values in either container and with any number of rows.
#pragma once

#include "synth/tensors.h"
#include "tensor/dtype.h"

#include <cstddef>
#include <cstdint>

namespace gemma3n::synth {

inline constexpr int64_t chunk_values = 1 << 20;  // a multiple of every block

// Values [chunk * chunk_values, ...) of `tensor`, at most `chunk_values`; returns the bytes written to `out`.
uint64_t fill_chunk(const Tensor& tensor, DType type, uint64_t seed, int64_t chunk, std::byte* out);

}  // namespace gemma3n::synth
