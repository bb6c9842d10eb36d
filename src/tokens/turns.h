// Gemma's turn format, equal to the model's own Jinja template: <start_of_turn>user ... <end_of_turn>, the system text as a
// prefix of the first user turn.
#pragma once

#include "base/result.h"
#include "tokens/tokenizer.h"

#include <string>
#include <vector>

namespace gemma3n::tokens {

struct Message {
    std::string role;     // "system" (first only), "user", "model" or "assistant"
    std::string content;  // user text: typed marks stay text
};

// The prompt as text, with <bos> first if asked for; an error if the roles do not alternate.
Result<std::string> render_turns(const std::vector<Message>& messages, bool add_generation_prompt, bool add_bos);

// The prompt as ids: marks of the format are their ids, contents are encoded as plain text (never parsed for special tokens).
Result<std::vector<int>> encode_turns(const Tokenizer& tokenizer, const std::vector<Message>& messages, bool add_generation_prompt,
                                      bool add_bos);

}  // namespace gemma3n::tokens
