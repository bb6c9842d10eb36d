// tokenizer.json of any content; what loads must encode and decode.
#include "tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    const std::string_view json = fuzz::as_text(data, size);
    const auto t = tokens::Tokenizer::from_json(json, "tokenizer.json");
    if (!t) {
        fuzz::check_error(t.error());
        return 0;
    }
    fuzz::check_any_vocabulary(**t, "a hello  user\n\n<bos>\xF0\x9F\x98\x80 \xFF");
    fuzz::check_any_vocabulary(**t, json.substr(0, 300));
    return 0;
}
