// Text to ids and back: byte-fallback BPE with Gemma's vocabulary, from a GGUF's token list or from tokenizer.json.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::tokens {

struct EncodeOptions {
    bool add_bos = false;
    // false: tokens that are special in tokenizer.json (0-3, turn marks, media marks) are read as plain text when typed, so
    // that user text cannot open a turn. Newline and tab runs, HTML tags, <mask>, <unusedN>, [multimodal] match in both modes.
    bool parse_special = false;
};

class Tokenizer {
public:
    // From the checkpoint's own tokens: GGUF metadata or the directory's tokenizer.json.
    static Result<std::shared_ptr<Tokenizer>> load(const format::Checkpoint& checkpoint);
    static Result<std::shared_ptr<Tokenizer>> from_json(std::string_view tokenizer_json, const std::string& subject);
    virtual ~Tokenizer() = default;

    virtual std::vector<int> encode(std::string_view text, EncodeOptions options = {}) const = 0;
    // The piece's text as it appears in output ("▁" is a space); byte pieces give their byte. Empty for ids out of range.
    virtual std::string piece(int id) const = 0;
    // The piece as the vocabulary spells it ("▁the", "<0x0A>"), for show and trace.
    virtual std::string_view raw_piece(int id) const = 0;
    // Byte value of a byte piece, else -1.
    virtual int byte_of(int id) const = 0;
    virtual bool is_special(int id) const = 0;
    virtual int id_of(std::string_view raw_piece) const = 0;  // -1 if absent
    virtual int size() const = 0;
    virtual int bos() const = 0;

    // Whole-sequence decoding, as the Hugging Face library does it (invalid byte runs give U+FFFD per byte).
    std::string decode(const std::vector<int>& ids, bool skip_special = true) const;
};

// Incremental decoding for streaming: holds back incomplete UTF-8 until it is complete or a non-byte token arrives.
class Detokenizer {
public:
    explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special = true) : tokenizer_(tokenizer), skip_special_(skip_special) {}
    std::string add(int id);   // text that became certain
    std::string finish();      // what is left, invalid bytes as U+FFFD

private:
    const Tokenizer& tokenizer_;
    bool skip_special_;
    std::string pending_;      // bytes of an unfinished run of byte tokens
};

}  // namespace gemma3n::tokens
