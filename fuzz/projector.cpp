// A projector file beside a good model: header, keys, towers of whatever shapes, a picture and a sound through them.
#include "input.h"
#include "mini_model.h"

#include "gemma3n/media.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    static const fuzz::Directory directory;
    static const std::string model = directory.path() + "/model.gguf";
    static const bool ready = static_cast<bool>(synth::write_gguf(fuzz::mini_shape(), format::Mix::f32, model, {}));
    fuzz::check(ready, "the good model");
    const std::string projector = directory.put("mmproj-F16.gguf", fuzz::as_text(data, size));
    const auto engine = Engine::load(model, {.threads = 1, .kernels = "reference", .mmproj = projector});
    if (!engine) {
        fuzz::check_error(engine.error());
        return 0;
    }
    const Image black{32, 32, std::vector<uint8_t>(3 * 32 * 32)};
    if (const auto soft = (*engine)->encode_image(black, {.side = 32}); !soft) fuzz::check_error(soft.error());
    const std::vector<float> silence(2560);
    if (const auto soft = (*engine)->encode_sound(silence); !soft) fuzz::check_error(soft.error());
    return 0;
}
