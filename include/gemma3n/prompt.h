// What a turn is made of: text, pictures and sound, in the order given.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gemma3n {

// Input vectors that stand in a prompt in place of a picture or a clip: [n, hidden], f32, made by Engine::encode_*. They depend on the
// model and the picture only, not on the prompt: keep them to ask again.
struct SoftTokens {
    enum class Kind { image, sound } kind = Kind::image;
    int64_t n = 0, hidden = 0;
    std::vector<float> values;
};

// One piece of a turn: text, or soft tokens when `tokens` is set.
struct Part {
    std::string text;
    std::shared_ptr<const SoftTokens> tokens;
};

// A prompt in ids: each run of placeholder ids takes the rows of the next of `media`, in order, all of them; any mismatch is refused.
// Without media a placeholder is an ordinary id with the vector that the model has for it.
struct Prompt {
    std::vector<int> ids;
    std::vector<std::shared_ptr<const SoftTokens>> media;
};

}  // namespace gemma3n
