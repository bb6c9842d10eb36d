// The token list, scores and types of a GGUF file; what loads must encode and decode.
#include "tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    static const fuzz::Directory directory;
    const auto c = format::Checkpoint::open(directory.put("tokens.gguf", fuzz::as_text(data, size)));
    if (!c) return 0;
    const auto t = tokens::Tokenizer::load(**c);
    if (!t) {
        fuzz::check_error(t.error());
        return 0;
    }
    fuzz::check_any_vocabulary(**t, "a hello  user\n\n<bos>\xF0\x9F\x98\x80 \xFF");
    fuzz::check_any_vocabulary(**t, fuzz::as_text(data, size).substr(0, 300));
    return 0;
}
