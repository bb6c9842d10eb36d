// Decoded sound, as floats of one channel.
#pragma once

#include "media/decoder.h"

namespace gemma3n::media {

// The frame's samples, down-mixed, behind `mono`.
Status append_mono(const std::string& name, const AVFrame& frame, std::vector<float>& mono);

}  // namespace gemma3n::media
