// The two places the towers' numbers come from. Neither bounds what it reads: read_media_config does.
#pragma once

#include "model/media/config.h"

namespace gemma3n::model {

// config.json, and the processor's settings beside it where they are.
Status media_config_from_json(const format::Checkpoint& towers, MediaConfig& config);
// The keys of a projector file.
Status media_config_from_gguf(const format::Checkpoint& towers, MediaConfig& config);

}  // namespace gemma3n::model
