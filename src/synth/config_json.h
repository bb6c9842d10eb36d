// The small files of a Hugging Face directory.
#pragma once

#include "synth/vocabulary.h"
#include "tensor/dtype.h"

#include <string>

namespace gemma3n::synth {

std::string config_json(const Shape& shape, const Vocabulary& vocabulary, DType type, bool towers);
std::string vision_config_json(const Shape& shape);
std::string audio_config_json(const Shape& shape);
std::string generation_config_json(const Vocabulary& vocabulary);
std::string tokenizer_config_json();
// Of models with towers: what is done to a picture and a sound.
std::string preprocessor_config_json(const Shape& shape);
std::string processor_config_json(const Shape& shape);

}  // namespace gemma3n::synth
