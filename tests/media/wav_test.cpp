// WAV: every form of samples by its arithmetic, sizes that were never filled in, and what is broken.
#include "media/samples.h"
#include "media/sound.h"

#include "media/files.h"
#include "media/wav.h"

#include <cmath>
#include <cstring>

namespace gemma3n {
namespace {

using test::bytes_of;
using test::number;
using test::WavFile;

Result<Sound> read(const std::string& bytes, int64_t piece = 7) {
    const auto reader = SoundReader::open(bytes_of(bytes), "x.wav");
    if (!reader) return reader.error();
    Sound s;
    for (;;) {
        const auto more = (*reader)->read(piece, s.samples);
        if (!more) return more.error();
        if (!*more) break;
    }
    s.note = (*reader)->note();
    return s;
}

std::vector<float> samples(const std::string& bytes) {
    const auto s = read(bytes);
    EXPECT_TRUE(s) << s.error().message;
    return s ? s->samples : std::vector<float>();
}

template <class T>
std::string packed(std::initializer_list<T> values) {
    std::string s;
    for (const T v : values) s.append(reinterpret_cast<const char*>(&v), sizeof v);
    return s;
}

TEST(Wav, EveryFormOfSamples) {
    using V = std::vector<float>;
    EXPECT_EQ(samples(WavFile{.bits = 8, .samples = std::string("\x00\x80\xC0\xFF", 4)}.bytes()), (V{-1, 0, 0.5f, 127.0f / 128}));
    EXPECT_EQ(samples(WavFile{.samples = packed<int16_t>({-32768, 0, 16384, 32767, 1})}.bytes()), (V{-1, 0, 0.5f, 32767.0f / 32768, 1.0f / 32768}));
    EXPECT_EQ(samples(WavFile{.bits = 24, .samples = number(0x800000, 3) + number(0x400000, 3) + number(1, 3) + number(0xFFFFFF, 3)}.bytes()), (V{-1, 0.5f, 1.0f / 8388608, -1.0f / 8388608}));
    EXPECT_EQ(samples(WavFile{.bits = 32, .samples = packed<int32_t>({INT32_MIN, 1 << 30, 1})}.bytes()), (V{-1, 0.5f, 1.0f / 2147483648}));
    EXPECT_EQ(samples(WavFile{.kind = 3, .bits = 32, .samples = packed<float>({-1, 0.125f, 3, NAN, -INFINITY})}.bytes()), (V{-1, 0.125f, 1, 0, -1}));
    EXPECT_EQ(samples(WavFile{.kind = 3, .bits = 64, .samples = packed<double>({-1, 0.125, 1e300, NAN})}.bytes()), (V{-1, 0.125f, 1, 0}));
    EXPECT_EQ(samples(WavFile{.samples = packed<int16_t>({16384}), .extensible = true}.bytes()), (V{0.5f}));
}

// All 256 codes against Python's audioop: some values, their sum, the sum of their sizes, and the sum of value times code.
TEST(Wav, G711) {
    std::string codes;
    for (int i = 0; i < 256; i++) codes += static_cast<char>(i);
    struct Golden {
        int kind, at_0, at_55, at_80, at_ff;
        int64_t sum, sizes, products;
    };
    for (const Golden& g : {Golden{6, -5504, -8, 5504, 848, 0, 1564672, 100139008}, Golden{7, -32124, -716, 32124, 0, 0, 1532928, 98107392}}) {
        const auto v = samples(WavFile{.kind = g.kind, .bits = 8, .samples = codes}.bytes());
        ASSERT_EQ(v.size(), 256u);
        int64_t sum = 0, sizes = 0, products = 0;
        for (int64_t i = 0; i < 256; i++) {
            const int64_t x = std::llround(v[static_cast<size_t>(i)] * 32768);
            sum += x, sizes += std::llabs(x), products += i * x;
        }
        EXPECT_EQ(v[0] * 32768, g.at_0);
        EXPECT_EQ(v[0x55] * 32768, g.at_55);
        EXPECT_EQ(v[0x80] * 32768, g.at_80);
        EXPECT_EQ(v[0xFF] * 32768, g.at_ff);
        EXPECT_EQ(sum, g.sum);
        EXPECT_EQ(sizes, g.sizes);
        EXPECT_EQ(products, g.products);
    }
}

TEST(Wav, ChannelsAreTheirMean) {
    EXPECT_EQ(samples(WavFile{.channels = 2, .samples = packed<int16_t>({16384, 0, -16384, -8192})}.bytes()), (std::vector<float>{0.25f, -0.375f}));
    EXPECT_EQ(samples(WavFile{.channels = 3, .samples = packed<int16_t>({8192, 8192, 8192})}.bytes()), (std::vector<float>{0.25f}));
}

TEST(Wav, ChunksAroundTheSamplesArePassedOver) {
    const std::string junk = "JUNK" + number(3, 4) + "abc" + std::string(1, '\0');
    WavFile f{.samples = packed<int16_t>({16384}), .before = junk};
    const std::string list = "LIST" + number(4, 4) + "INFO";
    EXPECT_EQ(samples(f.bytes() + list), std::vector<float>{0.5f});
    std::string large = f.bytes();
    large.replace(0, 8, "RF64\xFF\xFF\xFF\xFF");
    large.insert(12, "ds64" + number(28, 4) + number(0, 8) + number(2, 8) + number(1, 8) + number(0, 4));
    large.replace(large.find("data") + 4, 4, "\xFF\xFF\xFF\xFF");
    EXPECT_EQ(samples(large + list), std::vector<float>{0.5f});
}

TEST(Wav, SizesThatWereNeverFilledIn) {
    for (const uint32_t size : {0u, 0xFFFFFFFFu, 0x7FFFFFFFu}) {
        const auto s = read(WavFile{.samples = packed<int16_t>({16384, -16384}), .open_end = true, .open_size = size}.bytes());
        ASSERT_TRUE(s) << s.error().message;
        EXPECT_EQ(s->samples, (std::vector<float>{0.5f, -0.5f})) << size;
        EXPECT_EQ(s->note, "") << size;
    }
}

TEST(Wav, WhatIsMissingIsNoted) {
    std::string bytes = WavFile{.samples = packed<int16_t>({16384, -16384, 1, 2})}.bytes();
    const auto s = read(bytes.substr(0, bytes.size() - 5));
    ASSERT_TRUE(s);
    EXPECT_EQ(s->samples, std::vector<float>{0.5f});
    EXPECT_EQ(s->note, "x.wav: ends 5 bytes before its header says");
}

TEST(Wav, BrokenFilesSayHow) {
    const auto says = [](const std::string& bytes, const char* expected) {
        const auto s = read(bytes);
        ASSERT_FALSE(s) << expected;
        EXPECT_EQ(s.error().message, expected);
    };
    const WavFile good{.samples = packed<int16_t>({1, 2})};
    says("", "x.wav: is empty: expected a sound file");
    says(good.bytes().substr(0, 30), "x.wav: is a broken WAV file: it ends after 30 bytes, before its samples");
    says(WavFile{.rate = 100}.bytes(), "x.wav: has 100 samples a second: expected 1000 to 384000");
    says(WavFile{.channels = 0}.bytes(), "x.wav: has 0 channels of sound: expected 1 to 64");
    says(WavFile{.channels = 500}.bytes(), "x.wav: has 500 channels of sound: expected 1 to 64");
    std::string bytes = good.bytes();
    bytes[32] = 3;
    says(bytes, "x.wav: is a broken WAV file: 3 bytes hold a sample of its 1 channels: expected 2");
    bytes = good.bytes();
    bytes.erase(12, 24);
    says(bytes, "x.wav: is a broken WAV file: its samples come before their format");
    says(WavFile{.before = "JUNK" + number(0xFFFFFFF0, 4)}.bytes(),
         "x.wav: is a broken WAV file: chunk 'JUNK' has 4294967280 bytes: expected samples within the first 1048576");
    const std::string up_to_the_last = "junk" + number(1048556, 4) + std::string(1048556, 'x');  // the next chunk begins at byte 1048576
    says(WavFile{.before = up_to_the_last + "more" + number(0xFFFFFFF0, 4)}.bytes(),
         "x.wav: is a broken WAV file: chunk 'more' has 4294967280 bytes: expected samples within the first 1048576");
    says(WavFile{.before = up_to_the_last + "more" + number(0, 4)}.bytes(),
         "x.wav: is a broken WAV file: chunk 'more' has 0 bytes: expected samples within the first 1048576");
}

// The beginning of any length is a sound or a sentence, read in pieces of any size.
TEST(Wav, EveryBeginning) {
    const std::string whole = WavFile{.channels = 2, .rate = 48000, .bits = 24, .samples = std::string(600, 'x'), .extensible = true}.bytes();
    for (size_t n = 0; n <= whole.size(); n++) {
        const std::string part = whole.substr(0, n);
        const auto a = read(part, 1), b = read(part, 1000);
        ASSERT_EQ(static_cast<bool>(a), static_cast<bool>(b));
        if (a) EXPECT_EQ(a->samples, b->samples) << n;
        else EXPECT_FALSE(a.error().message.empty());
    }
}

// The same file through FFmpeg: the same samples to the bit.
TEST(Wav, ContainersGiveTheSameSamples) {
    if (!media_support().containers) GTEST_SKIP() << "this build has no FFmpeg";
    std::string noise;
    uint32_t x = 1;
    for (int i = 0; i < 4800; i++) x = x * 1664525 + 1013904223, noise += static_cast<char>(x >> 24);
    for (const auto& [kind, bits] : {std::pair{1, 8}, {1, 16}, {1, 24}, {1, 32}, {3, 32}, {3, 64}, {6, 8}, {7, 8}}) {
        const std::string bytes = WavFile{.kind = kind, .channels = 2, .rate = 44100, .bits = bits, .samples = noise}.bytes();
        const auto all = [](Result<std::unique_ptr<media::SoundSource>> source) {
            EXPECT_TRUE(source) << source.error().message;
            std::vector<float> mono;
            while (*(*source)->read(100, mono)) {}
            EXPECT_EQ((*source)->rate(), 44100);
            return mono;
        };
        const auto ours = all(media::open_wav(Input::of(bytes_of(bytes), "w"))), theirs = all(media::open_container(Input::of(bytes_of(bytes), "c")));
        ASSERT_EQ(ours.size(), theirs.size()) << kind << ", " << bits;
        EXPECT_EQ(memcmp(ours.data(), theirs.data(), ours.size() * 4), 0) << kind << ", " << bits;
    }
}

}  // namespace
}  // namespace gemma3n
