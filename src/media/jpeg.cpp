// JPEG through libjpeg-turbo, with its slow, exact transform and its smooth upsampling: what Pillow takes.
#include "media/picture.h"

#include <cstdio>  // jpeglib.h wants it before

#include <jpeglib.h>
#include <setjmp.h>

#include <algorithm>
#include <array>

namespace gemma3n::media {

namespace {

constexpr int most_scans = 500;  // of a progressive file: each may cost as much as a picture

// libjpeg's errors jump here; its warnings (damage it could paint over) are passed over, as Pillow does.
struct Errors {
    jpeg_error_mgr manager;  // first: libjpeg hands it back
    jmp_buf jump;
    char sentence[JMSG_LENGTH_MAX];
};

void on_error(j_common_ptr c) {
    auto* e = reinterpret_cast<Errors*>(c->err);
    c->err->format_message(c, e->sentence);
    longjmp(e->jump, 1);
}

void stop(j_decompress_ptr c, const char* sentence) {
    auto* e = reinterpret_cast<Errors*>(c->err);
    snprintf(e->sentence, sizeof e->sentence, "%s", sentence);
    longjmp(e->jump, 1);
}

// All bytes are there from the start: asked for more, the file has ended early.
boolean on_end(j_decompress_ptr c) {
    stop(c, "the file is cut short");
    return FALSE;
}

void on_skip(j_decompress_ptr c, long n) {
    if (n <= 0) return;
    if (static_cast<size_t>(n) > c->src->bytes_in_buffer) on_end(c);
    c->src->next_input_byte += n;
    c->src->bytes_in_buffer -= static_cast<size_t>(n);
}

void on_progress(j_common_ptr c) {
    const auto d = reinterpret_cast<j_decompress_ptr>(c);
    if (d->input_scan_number > most_scans) stop(d, "it has more than 500 scans");
}

struct Decoder {
    jpeg_decompress_struct jpeg{};
    Errors errors{};
    jpeg_source_mgr source{};
    jpeg_progress_mgr progress{};
    Picture picture;
    std::vector<uint8_t> row;

    Decoder() {
        jpeg.err = jpeg_std_error(&errors.manager);
        errors.manager.error_exit = on_error;
        errors.manager.output_message = [](j_common_ptr) {};
    }
    ~Decoder() { jpeg_destroy_decompress(&jpeg); }

    // No object with a destructor lives in the functions that libjpeg may jump out of.
    bool header(Bytes bytes) {
        if (setjmp(errors.jump)) return false;
        jpeg_create_decompress(&jpeg);
        source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
        source.bytes_in_buffer = bytes.size();
        source.init_source = [](j_decompress_ptr) {};
        source.fill_input_buffer = on_end;
        source.skip_input_data = on_skip;
        source.resync_to_restart = jpeg_resync_to_restart;
        source.term_source = [](j_decompress_ptr) {};
        jpeg.src = &source;
        progress.progress_monitor = on_progress;
        jpeg.progress = &progress;
        jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xFFFF);  // EXIF
        jpeg_read_header(&jpeg, TRUE);
        return true;
    }

    bool pixels() {
        if (setjmp(errors.jump)) return false;
        jpeg.out_color_space = jpeg.num_components == 1 ? JCS_GRAYSCALE : jpeg.num_components == 3 ? JCS_RGB : JCS_CMYK;
        jpeg_start_decompress(&jpeg);
        row.resize(static_cast<size_t>(jpeg.output_width) * static_cast<size_t>(jpeg.num_components));
        while (jpeg.output_scanline < jpeg.output_height) {
            uint8_t* at = row.data();
            jpeg_read_scanlines(&jpeg, &at, 1);
            take_row();
        }
        return true;
    }

    // Memory is touched as rows come: a file that claims much and holds little costs little.
    void take_row() {
        std::vector<uint8_t>& rgb = picture.image.rgb;
        if (jpeg.num_components == 3) {
            rgb.insert(rgb.end(), row.begin(), row.end());
        } else if (jpeg.num_components == 1) {
            for (const uint8_t grey : row) rgb.insert(rgb.end(), 3, grey);
        } else {  // four inks, stored as their complements (Adobe's way, which Pillow takes for every file)
            for (size_t i = 0; i < row.size(); i += 4) {
                for (size_t c = 0; c < 3; c++) {
                    const int light = row[i + 3], product = (255 - row[i + c]) * light + 128;
                    rgb.push_back(static_cast<uint8_t>(light - ((product + (product >> 8)) >> 8)));
                }
            }
        }
    }
};

}  // namespace

Result<Picture> decode_jpeg(Bytes bytes, const std::string& name, int64_t max_pixels) {
    const auto d = std::make_unique<Decoder>();
    const auto broken = [&] { return fail(Code::bad_file, "%s: is a broken JPEG picture: %s", name.c_str(), shown(d->errors.sentence).c_str()); };
    if (!d->header(bytes)) return broken();
    const int64_t w = d->jpeg.image_width, h = d->jpeg.image_height;
    TRY(check_size(name, w, h, max_pixels));
    if (d->jpeg.num_components != 1 && d->jpeg.num_components != 3 && d->jpeg.num_components != 4) {
        return fail(Code::unsupported, "%s: is a JPEG picture of %d components: expected 1, 3 or 4", name.c_str(), d->jpeg.num_components);
    }
    constexpr std::array<uint8_t, 6> exif = {'E', 'x', 'i', 'f', 0, 0};
    for (const jpeg_marker_struct* m = d->jpeg.marker_list; m; m = m->next) {
        if (m->data_length < exif.size() || !std::equal(exif.begin(), exif.end(), m->data)) continue;
        d->picture.orientation = exif_orientation(std::as_bytes(std::span(m->data, m->data_length)));
        break;
    }
    d->picture.image.width = w;
    d->picture.image.height = h;
    d->picture.image.rgb.reserve(static_cast<size_t>(w * h * 3));
    if (!d->pixels()) return broken();
    return std::move(d->picture);
}

}  // namespace gemma3n::media
