// Pictures of every kind, pixel for pixel what Pillow makes of them; and what is broken, cut short or too large.
#include "gemma3n/media.h"

#include "media/picture.h"

#include "media/files.h"

#include <algorithm>
#include <sstream>

namespace gemma3n {
namespace {

using test::bytes_of;
using test::content;

struct Expected {
    std::string file;
    int64_t width = 0, height = 0;
    uint32_t crc = 0;
    size_t shortest = 0;  // beginning that Pillow reads
};

std::vector<Expected> expected() {
    std::vector<Expected> all;
    std::istringstream lines(content("pictures/expected.txt"));
    for (Expected e; lines >> e.file >> e.width >> e.height >> std::hex >> e.crc >> std::dec >> e.shortest;) all.push_back(e);
    return all;
}

bool supported(const std::string& file) {
    const MediaSupport s = media_support();
    return file.ends_with(".jpg") ? s.jpeg : file.ends_with(".png") ? s.png : s.webp;
}

class Kind : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        if (!supported(GetParam())) GTEST_SKIP() << "this build has no library for " << GetParam();
        for (const Expected& e : expected())
            if (e.file.ends_with(GetParam())) pictures.push_back(e);
        ASSERT_FALSE(pictures.empty());
    }
    std::vector<Expected> pictures;
};

TEST_P(Kind, PixelsEqualPillows) {
    for (const Expected& e : pictures) {
        const auto image = read_image(test::data_path("pictures/" + e.file));
        ASSERT_TRUE(image) << image.error().message;
        EXPECT_EQ(image->width, e.width) << e.file;
        EXPECT_EQ(image->height, e.height) << e.file;
        EXPECT_EQ(test::crc32(image->rgb), e.crc) << e.file;
    }
}

// Every beginning of every file is the same picture where it is one to Pillow, and otherwise an error of one line. Of a PNG, libpng wants the
// checksums behind the packed pixels too, and nothing of what follows them, which Pillow reads.
TEST_P(Kind, ACutFileIsAnError) {
    for (const Expected& e : pictures) {
        const std::string whole = content("pictures/" + e.file);
        size_t enough = e.shortest;
        if (const size_t idat = whole.find("IDAT"); e.file.ends_with(".png")) enough = idat + 8 + static_cast<uint8_t>(whole[idat - 2]) * 256u + static_cast<uint8_t>(whole[idat - 1]);
        for (size_t n = 0; n < whole.size(); n++) {
            const std::string part = whole.substr(0, n);  // of its own: reads beyond the end are seen by the sanitizers
            const auto image = decode_image(bytes_of(part), "part");
            if (n < std::min(e.shortest, enough) || n >= std::max(e.shortest, enough)) {
                ASSERT_EQ(static_cast<bool>(image), n >= enough) << e.file << ", " << n << " of " << whole.size() << " bytes";
            }
            if (image && (image->width == e.width || e.file != "exif-after.png")) {
                EXPECT_EQ(test::crc32(image->rgb), e.crc) << e.file;
            } else if (!image) {
                EXPECT_TRUE(image.error().message.starts_with("part: ")) << image.error().message;
                EXPECT_EQ(image.error().message.find('\n'), std::string::npos);
            }
        }
    }
}

TEST_P(Kind, FlippedBytesDoNoHarm) {
    uint32_t x = 1;
    for (const Expected& e : pictures) {
        const std::string whole = content("pictures/" + e.file);
        for (int trial = 0; trial < 200; trial++) {
            std::string broken = whole;
            for (int flips = 0; flips < 1 + trial % 3; flips++) {
                x = x * 1664525 + 1013904223;
                broken[(x >> 8) % broken.size()] ^= static_cast<char>(1 << (x >> 4 & 7));
            }
            const auto image = media::decode_picture(bytes_of(broken), "broken", 1 << 20);
            if (image) EXPECT_EQ(image->rgb.size(), static_cast<size_t>(image->width * image->height * 3));
            else EXPECT_FALSE(image.error().message.empty());
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Picture, Kind, testing::Values(".jpg", ".png", ".webp"), [](const auto& i) { return std::string(i.param + 1); });

// Sizes that a few bytes claim are refused by their numbers, before a decoder starts.
TEST(Picture, AbsurdSizesAreRefused) {
    const auto refused = [](std::string file, size_t at, const std::string& size, const char* says) {
        if (!supported(file)) return;
        std::string bytes = content("pictures/" + file);
        bytes.replace(at == std::string::npos ? bytes.find("\xFF\xC0") + 5 : at, size.size(), size);
        const auto image = decode_image(bytes_of(bytes), "claim");
        ASSERT_FALSE(image) << file;
        EXPECT_NE(image.error().message.find(says), std::string::npos) << image.error().message;
    };
    using namespace std::string_literals;
    refused("rgb-444.jpg", std::string::npos, "\xFD\xE8\xFD\xE8"s, "65000 x 65000 pixels: expected at most 100000000");
    refused("rgb8.png", 16, "\x00\x00\xFF\xFF\x00\x00\x07\xD0"s, "65535 x 2000 pixels: expected at most 100000000");
    refused("rgb8.png", 16, "\x7F\xFF\xFF\xFF\x00\x00\x00\x01"s, "2147483647 x 1 pixels: expected at most 65535 a side");
    refused("rgb8.png", 16, "\x00\x00\x00\x00\x00\x00\x00\x01"s, "0 x 1 pixels");
    refused("animated.webp", 24, "\xFF\xFF\x00"s, "65536 x 27 pixels: expected at most 65535 a side");
}

TEST(Picture, WhatIsNoPictureSaysSo) {
    const auto sentence = [](const std::string& bytes) { return decode_image(bytes_of(bytes), "x").error().message; };
    EXPECT_EQ(sentence(""), "x: is empty: expected a JPEG, PNG or WebP picture");
    EXPECT_EQ(sentence("GIF89a"), "x: is no picture that can be read: expected JPEG, PNG or WebP");
    EXPECT_EQ(sentence("RIFF....WAVE"), "x: is no picture that can be read: expected JPEG, PNG or WebP");
    EXPECT_EQ(read_image("/no/such/file").error().code, Code::not_found);
    EXPECT_EQ(read_image(G3N_SOURCE_DIR).error().message, std::string(G3N_SOURCE_DIR) + ": is a directory");
}

}  // namespace
}  // namespace gemma3n
