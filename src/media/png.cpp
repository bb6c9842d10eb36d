// PNG through libpng, as Pillow's convert("RGB") has it: alpha and tRNS dropped, gAMA and profiles not applied, 16 bits cut to the upper
// eight, but 16-bit grey cut off at 255, which is Pillow's own rule for it.
#include "media/picture.h"

#include <png.h>
#include <setjmp.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace gemma3n::media {

namespace {

struct Decoder {
    png_structp png = nullptr;
    png_infop info = nullptr;
    Bytes left;
    std::string sentence;
    Picture picture;

    ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }

    static void on_error(png_structp p, png_const_charp sentence) {
        static_cast<Decoder*>(png_get_error_ptr(p))->sentence = sentence;
        png_longjmp(p, 1);
    }
    static void on_read(png_structp p, png_bytep out, size_t n) {
        Bytes& left = static_cast<Decoder*>(png_get_io_ptr(p))->left;
        if (n > left.size()) png_error(p, "the file is cut short");
        memcpy(out, left.data(), n);
        left = left.subspan(n);
    }

    bool create(Bytes bytes) {
        left = bytes;
        png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
        if (!png) return false;
        info = png_create_info_struct(png);
        if (!info) return false;
        png_set_read_fn(png, this, on_read);
        png_set_user_limits(png, static_cast<png_uint_32>(max_image_side), static_cast<png_uint_32>(max_image_side));
        return true;
    }

    // No object with a destructor lives in the functions that libpng may jump out of.
    bool header() {
        if (setjmp(png_jmpbuf(png))) return false;
        png_read_info(png, info);
        return true;
    }

    bool pixels() {
        const size_t w = png_get_image_width(png, info), h = png_get_image_height(png, info);
        const int depth = png_get_bit_depth(png, info), type = png_get_color_type(png, info);
        std::vector<uint8_t>& rgb = picture.image.rgb;
        if (setjmp(png_jmpbuf(png))) return false;
        const bool grey16 = depth == 16 && type == PNG_COLOR_TYPE_GRAY;
        if (!grey16) {  // every other kind becomes three bytes a pixel in libpng
            if (depth == 16) png_set_strip_16(png);
            if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
            if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
            png_set_strip_alpha(png);
            if (!(type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
        }
        const int passes = png_set_interlace_handling(png);
        png_read_update_info(png, info);
        if (png_get_rowbytes(png, info) != w * (grey16 ? 2 : 3)) png_error(png, "its rows have an unexpected length");
        if (passes > 1) rgb.resize(w * h * 3);  // else memory is touched as rows come: a file that claims much and holds little costs little
        for (int pass = 0; pass < passes; pass++) {
            for (size_t y = 0; y < h; y++) {
                if (passes == 1) rgb.resize((y + 1) * w * 3);
                png_read_row(png, rgb.data() + y * w * 3, nullptr);
            }
        }
        if (grey16) {
            for (size_t y = 0; y < h; y++) spread(rgb.data() + y * w * 3, w);
        }
        return true;
    }

    // A row of big-endian words to grey pixels in place, from its end on.
    static void spread(uint8_t* row, size_t w) {
        for (size_t x = w; x-- > 0;) {
            const uint8_t v = row[2 * x] ? 255 : row[2 * x + 1];
            for (size_t c = 0; c < 3; c++) row[3 * x + c] = v;
        }
    }

    // What stands behind the pixels may be missing or broken: the picture is whole.
    void tail() {
        if (setjmp(png_jmpbuf(png))) return;
        png_read_end(png, info);
    }

    int orientation() {
        if (setjmp(png_jmpbuf(png))) return 1;
        png_bytep exif = nullptr;
        png_uint_32 n = 0;
        if (png_get_eXIf_1(png, info, &n, &exif)) return exif_orientation(std::as_bytes(std::span(exif, n)));
        png_textp texts = nullptr;
        const int n_texts = png_get_text(png, info, &texts, nullptr);
        for (int i = 0; i < n_texts; i++) {
            if (std::string_view(texts[i].key) == "Raw profile type exif") return profile_orientation(texts[i].text);
        }
        return 1;
    }

    // ImageMagick's spelling: an empty line, a name, a number of bytes, then lines of hexadecimal digits.
    static int profile_orientation(std::string_view text) {
        for (int line = 0; line < 3; line++) {
            const size_t end = text.find('\n');
            if (end == text.npos) return 1;
            text.remove_prefix(end + 1);
        }
        std::vector<std::byte> exif;
        int digits = 0, value = 0;
        for (const char c : text) {
            const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
            if (digit < 0) continue;
            value = value * 16 + digit;
            if (++digits % 2 == 0) exif.push_back(static_cast<std::byte>(value & 255)), value = 0;
        }
        return exif_orientation(exif);
    }
};

}  // namespace

Result<Picture> decode_png(Bytes bytes, const std::string& name, int64_t max_pixels) {
    const auto d = std::make_unique<Decoder>();
    const auto broken = [&] { return fail(Code::bad_file, "%s: is a broken PNG picture: %s", name.c_str(), shown(d->sentence).c_str()); };
    if (!d->create(bytes)) return fail(Code::io, "%s: libpng cannot be set up", name.c_str());
    // The size stands at a fixed place, ahead of everything that libpng allocates for.
    const auto word = [&](size_t at) {
        int64_t v = 0;
        for (size_t i = at; i < at + 4; i++) v = v << 8 | static_cast<int64_t>(bytes[i]);
        return v;
    };
    if (bytes.size() < 33) return fail(Code::bad_file, "%s: is a broken PNG picture: the file is cut short", name.c_str());
    TRY(check_size(name, word(16), word(20), max_pixels));
    if (!d->header()) return broken();
    Image& image = d->picture.image;
    image.width = png_get_image_width(d->png, d->info);
    image.height = png_get_image_height(d->png, d->info);
    TRY(check_size(name, image.width, image.height, max_pixels));
    image.rgb.reserve(static_cast<size_t>(image.width * image.height * 3));
    if (!d->pixels()) return broken();
    d->tail();
    d->picture.orientation = d->orientation();
    return std::move(d->picture);
}

}  // namespace gemma3n::media
