// A picture of any of the three kinds, through its decoder.
#include "input.h"

#include "media/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace gemma3n;
    constexpr int64_t most = 1 << 20;  // pixels: large pictures only take longer
    const auto image = media::decode_picture(std::as_bytes(std::span(data, size)), "input", most);
    if (!image) return fuzz::check_error(image.error()), 0;
    fuzz::check(image->width >= 1 && image->height >= 1 && image->width * image->height <= most, "the size is within its bounds");
    fuzz::check(image->rgb.size() == static_cast<size_t>(image->width * image->height * 3), "there are three bytes a pixel");
    const auto small = resized(*image, 7);
    fuzz::check(small && small->rgb.size() == 7 * 7 * 3, "every picture can be resized");
    return 0;
}
