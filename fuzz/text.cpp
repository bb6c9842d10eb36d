// Any text against the good vocabulary, from tokenizer.json and from a GGUF: both agree, and valid UTF-8 comes back as it was.
#include "tokens.h"

#include "model/tiny_model.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    static const fuzz::Directory directory;
    static const auto from_json = *tokens::Tokenizer::from_json(test::TinyModel::tokenizer_json(), "tokenizer.json");
    static const auto checkpoint = *format::Checkpoint::open(directory.put("model.gguf", test::TinyModel::gguf()));
    static const auto from_gguf = *tokens::Tokenizer::load(*checkpoint);
    const std::string_view text = fuzz::as_text(data, size);
    const bool valid = is_utf8(text);
    std::string expected(text);  // a typed mark is a space to the vocabulary
    for (size_t at; (at = expected.find(space_mark)) != std::string::npos;) expected.replace(at, space_mark.size(), " ");
    for (const auto& t : {from_json, from_gguf}) {
        fuzz::check_any_vocabulary(*t, text);
        if (!valid) continue;
        for (const bool special : {false, true}) {
            const std::vector<int> ids = t->encode(text, {.parse_special = special});
            fuzz::check(t->decode(ids, false) == expected, "decode(encode(text)) is the text");
            if (special) continue;
            fuzz::check(std::none_of(ids.begin(), ids.end(), [&](int id) { return t->is_special(id); }), "typed text makes no special token");
        }
    }
    // the tiny vocabulary has runs of two spaces only; of three, one form merges the third with what follows
    const bool same = valid && expected.find("   ") == std::string::npos;
    for (const bool special : {false, true}) {
        const tokens::EncodeOptions o{.parse_special = special};
        if (same) fuzz::check(from_json->encode(text, o) == from_gguf->encode(text, o), "both forms of the vocabulary give the same ids");
    }
    return 0;
}
