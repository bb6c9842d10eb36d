// The small files of a Hugging Face directory.
#pragma once

#include "synth/vocabulary.h"
#include "tensor/dtype.h"

#include <string>

namespace gemma3n::synth {

std::string config_json(const Shape& shape, const Vocabulary& vocabulary, DType type);
std::string generation_config_json(const Vocabulary& vocabulary);
std::string tokenizer_config_json();

}  // namespace gemma3n::synth
