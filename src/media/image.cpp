// Which decoder reads a picture, and the sizes that are allowed.
#include "media/picture.h"

#include "base/input.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace gemma3n {

namespace media {

Status check_size(const std::string& name, int64_t width, int64_t height, int64_t max_pixels) {
    const auto ll = [](int64_t v) { return static_cast<long long>(v); };
    if (width < 1 || height < 1) return fail(Code::bad_file, "%s: is %lld x %lld pixels: expected at least one", name.c_str(), ll(width), ll(height));
    if (width > max_image_side || height > max_image_side) {
        return fail(Code::unsupported, "%s: is %lld x %lld pixels: expected at most %lld a side", name.c_str(), ll(width), ll(height), ll(max_image_side));
    }
    if (width * height > max_pixels) {
        return fail(Code::unsupported, "%s: is %lld x %lld pixels: expected at most %lld in all", name.c_str(), ll(width), ll(height), ll(max_pixels));
    }
    return {};
}

Result<Image> decode_picture(Bytes bytes, const std::string& name, int64_t max_pixels) {
    const std::string_view begin(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 12));
    const auto decode = [&]() -> Result<Picture> {
        if (begin.starts_with("\xFF\xD8\xFF")) return decode_jpeg(bytes, name, max_pixels);
        if (begin.starts_with("\x89PNG\r\n\x1A\n")) return decode_png(bytes, name, max_pixels);
        if (begin.starts_with("RIFF") && begin.ends_with("WEBP")) return decode_webp(bytes, name, max_pixels);
        if (begin.empty()) return fail(Code::bad_file, "%s: is empty: expected a JPEG, PNG or WebP picture", name.c_str());
        return fail(Code::unsupported, "%s: is no picture that can be read: expected JPEG, PNG or WebP", name.c_str());
    };
    ASSIGN(Picture p, decode());
    return upright(std::move(p.image), p.orientation);
}

}  // namespace media

Result<Image> decode_image(std::span<const std::byte> bytes, const std::string& name) { return media::decode_picture(bytes, name, max_image_pixels); }

Result<Image> read_image(const std::string& path) {
    constexpr uint64_t most = uint64_t{1} << 30;  // of a file: more than the largest picture has, uncompressed and with alpha
    ASSIGN(const auto in, Input::open(path));
    ASSIGN(const auto bytes, in->rest(most));
    return decode_image(bytes, in->name());
}

}  // namespace gemma3n
