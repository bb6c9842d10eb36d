// config.json beside good weights.
#include "input.h"

#include "model/tiny_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    static const test::CheckpointDir dir;
    static const fuzz::Directory model;
    static const bool ready = [] {
        test::TinyModel::write(dir);
        std::filesystem::copy(dir.path(), model.path(), std::filesystem::copy_options::recursive);
        return true;
    }();
    fuzz::check(ready, "the good files");
    model.put("config.json", fuzz::as_text(data, size));
    fuzz::load_and_run(model.path());
    return 0;
}
