// From parts of a turn to ids, and from ids to the rows that a step takes.
#pragma once

#include "gemma3n/session.h"
#include "model/media/config.h"
#include "model/text/decoder.h"
#include "runtime/towers.h"
#include "tokens/tokenizer.h"

#include <span>
#include <vector>

namespace gemma3n::runtime {

// A conversation in the turn format.
Result<Prompt> chat_prompt(const tokens::Tokenizer& tokenizer, const model::MediaIds& ids, const std::vector<ChatMessage>& messages, bool add_generation_prompt, bool add_bos);
// Parts without the turn format.
Result<Prompt> text_prompt(const tokens::Tokenizer& tokenizer, const model::MediaIds& ids, const std::vector<Part>& parts, bool add_bos);

// What one row of a sequence reads: a token, or a ready vector in its place.
struct InputRow {
    int id = 0;
    const float* embedding = nullptr;
    bool mark = false;  // the embedding is the model's own for this id
};

// Appends the rows of a prompt, its placeholders with the rows of the media. Marks and out-of-range ids are not looked at.
Status join(const Prompt& prompt, const model::MediaIds& ids, int64_t hidden, std::vector<InputRow>& rows);

// Marks get their ready vectors; an id that no table has is refused.
Status complete_rows(std::vector<InputRow>& rows, int64_t vocab, Towers& towers, const Context& context);

}  // namespace gemma3n::runtime
