// What must hold for every vocabulary and every text.
#pragma once

#include "input.h"

#include "tokens/tokenizer.h"
#include "base/utf8.h"

#include <vector>

namespace gemma3n::fuzz {

// Ids are in range in both modes, and what comes out piece by piece is what comes out whole.
inline void check_any_vocabulary(const tokens::Tokenizer& t, std::string_view text) {
    for (const bool special : {false, true}) {
        const std::vector<int> ids = t.encode(text, {.add_bos = true, .parse_special = special});
        for (const int id : ids) check(id >= 0 && id < t.size(), "an encoded id is of the vocabulary");
        for (const bool skip : {false, true}) {
            const std::string whole = t.decode(ids, skip);
            tokens::Detokenizer stream(t, skip);
            std::string pieces;
            for (const int id : ids) pieces += stream.add(id);
            pieces += stream.finish();
            // bytes that are no character: the whole run becomes U+FFFD when whole, only the bad bytes of it as it streams
            if (whole.find(replacement) == std::string::npos && pieces.find(replacement) == std::string::npos) {
                check(whole == pieces, "streamed text is the whole text");
            }
        }
    }
    for (const int id : {-1, t.size(), 1 << 30}) {
        check(t.piece(id).empty() && t.raw_piece(id).empty() && t.byte_of(id) == -1 && !t.is_special(id), "ids out of range have no piece");
    }
}

}  // namespace gemma3n::fuzz
