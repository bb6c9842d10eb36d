// A whole GGUF file: header, config, tokenizer, weights, and a few tokens of whatever loads.
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const gemma3n::fuzz::Directory directory;
    gemma3n::fuzz::load_and_run(directory.put("model.gguf", gemma3n::fuzz::as_text(data, size)));
    return 0;
}
