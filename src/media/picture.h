// Pictures as their files have them, between the decoders and the public face.
#pragma once

#include "gemma3n/media.h"

#include "base/result.h"

namespace gemma3n::media {

using Bytes = std::span<const std::byte>;

// As it is stored; `orientation` is EXIF's, 1..8, and says how it is to be turned.
struct Picture {
    Image image;
    int orientation = 1;
};

// Of the sizes a header claims, before anything is allocated for them.
Status check_size(const std::string& name, int64_t width, int64_t height, int64_t max_pixels = max_image_pixels);

// Each takes the pixels as Pillow's convert("RGB") has them. A build without the library has the sentence that names it (without.cpp).
Result<Picture> decode_jpeg(Bytes bytes, const std::string& name, int64_t max_pixels);
Result<Picture> decode_png(Bytes bytes, const std::string& name, int64_t max_pixels);
Result<Picture> decode_webp(Bytes bytes, const std::string& name, int64_t max_pixels);

// The kind told by the first bytes, decoded and upright.
Result<Image> decode_picture(Bytes bytes, const std::string& name, int64_t max_pixels);

// The orientation of an EXIF block, with or without its "Exif\0\0"; 1 if it says none or is broken, as Pillow does.
int exif_orientation(Bytes exif);
Image upright(Image image, int orientation);

}  // namespace gemma3n::media
