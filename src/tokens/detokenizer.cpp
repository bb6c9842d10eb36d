// Ids to text, whole or as they come.
#include "tokens/tokenizer.h"
#include "base/utf8.h"

namespace gemma3n::tokens {

namespace {

// A finished run of byte pieces: its text, or one U+FFFD a byte when the run as a whole is not UTF-8.
std::string run_text(const std::string& bytes) {
    if (is_utf8(bytes)) return bytes;
    std::string s;
    for (size_t i = 0; i < bytes.size(); i++) s += replacement;
    return s;
}

}  // namespace

std::string Tokenizer::decode(const std::vector<int>& ids, bool skip_special) const {
    std::string out, run;
    for (const int id : ids) {
        if (skip_special && is_special(id)) continue;
        const int byte = byte_of(id);
        if (byte >= 0) {
            run += static_cast<char>(byte);
            continue;
        }
        out += run_text(run) + piece(id);
        run.clear();
    }
    return out + run_text(run);
}

std::string Detokenizer::add(int id) {
    if (skip_special_ && tokenizer_.is_special(id)) return {};
    const int byte = tokenizer_.byte_of(id);
    if (byte < 0) return finish() + tokenizer_.piece(id);
    pending_ += static_cast<char>(byte);
    std::string out;
    size_t at = 0;
    while (at < pending_.size()) {  // characters that are complete leave at once
        bool cut = false;
        const int n = utf8_length(pending_, at, &cut);
        if (cut) break;
        out += n > 0 ? std::string_view(pending_).substr(at, static_cast<size_t>(n)) : replacement;
        at += n > 0 ? static_cast<size_t>(n) : 1;
    }
    pending_.erase(0, at);
    return out;
}

std::string Detokenizer::finish() {
    std::string out = run_text(pending_);
    pending_.clear();
    return out;
}

}  // namespace gemma3n::tokens
