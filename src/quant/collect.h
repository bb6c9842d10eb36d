// Makes an importance matrix: runs a text through the one forward pass and adds up the squares of what enters each matrix.
#pragma once

#include "gemma3n/engine.h"
#include "quant/imatrix.h"

#include <functional>
#include <span>

namespace gemma3n::quant {

// The text's ids (without <bos>) in chunks of `chunk_tokens`, each a sequence of its own that begins with <bos>. Matrices that only a
// lookup reads have no entry, nor has the head: its input is wanted for no row but the last.
Result<Imatrix> collect_imatrix(Engine& engine, std::span<const int> ids, int64_t chunk_tokens, const std::function<bool(double)>& progress);

}  // namespace gemma3n::quant
