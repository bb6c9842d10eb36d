// What a loaded model says of itself: sizes, types, bytes by class, memory per token.
#pragma once

#include "runtime/engine_impl.h"

namespace gemma3n::runtime {

ModelInfo describe(const Engine::Impl& e);

}  // namespace gemma3n::runtime
