// A safetensors file beside a good config.json. An input that begins with '{' is taken as the index of shards instead.
#include "input.h"

#include "model/tiny_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    static const fuzz::Directory whole, sharded;
    static const bool ready = [] {
        whole.put("config.json", test::TinyModel::config_json());
        const test::CheckpointDir good;
        test::TinyModel::write(good);
        std::filesystem::copy(good.path(), sharded.path(), std::filesystem::copy_options::recursive);
        return true;
    }();
    fuzz::check(ready, "the good files");
    const std::string_view input = fuzz::as_text(data, size);
    if (input.starts_with('{')) {
        sharded.put("model.safetensors.index.json", input);
        fuzz::load_and_run(sharded.path());
    } else {
        whole.put("model.safetensors", input);
        fuzz::load_and_run(whole.path());
    }
    return 0;
}
