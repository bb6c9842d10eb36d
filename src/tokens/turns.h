// Gemma's turn format, equal to the model's own Jinja template: <start_of_turn>user ... <end_of_turn>, the system text as a
// prefix of the first user turn.
#pragma once

#include "base/result.h"
#include "tokens/tokenizer.h"

#include <string>
#include <vector>

namespace gemma3n::tokens {

// A piece of a turn: text, or a picture or clip when `marks` is not empty. The template writes one name for it; what the network reads
// in its place is "\n\n", the marks (begin, placeholders, end) and "\n\n". These newlines join those of the text around them before
// anything is encoded: Gemma has one token for every run of newlines.
struct Item {
    std::string text;         // of a picture or clip: its name in the template
    std::vector<int> marks;
};

struct Message {
    std::string role;         // "system" (first only), "user", "model" or "assistant"
    std::string content;      // user text: typed marks stay text
    std::vector<Item> items;  // if not empty, in place of `content`; each text is trimmed by itself, as the template does it
};

// The prompt as text, with <bos> first if asked for; an error if the roles do not alternate or there is no message.
Result<std::string> render_turns(const std::vector<Message>& messages, bool add_generation_prompt, bool add_bos);

// The prompt as ids: marks of the format are their ids, contents are encoded as plain text (never parsed for special tokens).
Result<std::vector<int>> encode_turns(const Tokenizer& tokenizer, const std::vector<Message>& messages, bool add_generation_prompt,
                                      bool add_bos);

// Items without the turn format, nothing trimmed.
Result<std::vector<int>> encode_items(const Tokenizer& tokenizer, const std::vector<Item>& items, bool add_bos);

}  // namespace gemma3n::tokens
