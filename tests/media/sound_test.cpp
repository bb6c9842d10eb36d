// Sound out of containers, pipes and memory.
#include "media/sound.h"

#include "base/temporary_file.h"
#include "media/files.h"
#include "media/wav.h"

#include <unistd.h>

#include <cmath>
#include <numbers>
#include <thread>

namespace gemma3n {
namespace {

using test::bytes_of;
using test::content;
using test::data_path;

const char* const containers[] = {"speech.flac", "speech.mp3", "speech.ogg", "speech.webm", "speech.m4a", "cover.mp3", "adpcm.wav"};

class Containers : public testing::Test {
protected:
    void SetUp() override {
        if (!media_support().containers) GTEST_SKIP() << "this build has no FFmpeg";
    }
};

struct Pipe {
    int ends[2];
    Pipe() { EXPECT_EQ(pipe(ends), 0); }
    ~Pipe() {
        close(ends[0]);
        close_writer();
    }
    void close_writer() {
        if (ends[1] >= 0) close(ends[1]);
        ends[1] = -1;
    }
    void put(std::string_view s) const { EXPECT_EQ(write(ends[1], s.data(), s.size()), static_cast<ssize_t>(s.size())); }
    std::string path() const { return "/dev/fd/" + std::to_string(ends[0]); }
};

TEST_F(Containers, HoldTheTonesThatWentIn) {
    for (const char* file : containers) {
        const auto s = read_sound(data_path(std::string("sound/") + file));
        ASSERT_TRUE(s) << s.error().message;
        EXPECT_NEAR(s->seconds(), 0.7, 0.08) << file;  // codecs pad to whole blocks
        EXPECT_EQ(s->note, "") << file;
        // the share of each tone, over a third of a second in the middle: whole periods of all three
        const int64_t first = 2400, n = 4800;
        for (const auto& [frequency, amplitude] : {std::pair{330.0, 0.4}, {1000.0, 0.3}, {2750.0, 0.2}, {5000.0, 0.0}}) {
            double re = 0, im = 0;
            for (int64_t i = 0; i < n; i++) {
                const double a = 2 * std::numbers::pi * frequency * static_cast<double>(i) / sound_rate, x = s->samples[static_cast<size_t>(first + i)];
                re += x * std::cos(a), im += x * std::sin(a);
            }
            EXPECT_NEAR(2 * std::hypot(re, im) / n, amplitude, 0.03) << file << ", " << frequency << " Hz";
        }
    }
}

TEST_F(Containers, ALosslessCopyGivesTheSameBits) {
    const auto wav = read_sound(data_path("sound/speech.wav")), flac = read_sound(data_path("sound/speech.flac"));
    ASSERT_TRUE(wav && flac);
    EXPECT_EQ(wav->samples, flac->samples);
}

TEST_F(Containers, APipeGivesWhatTheFileGives) {
    for (const char* file : {"speech.mp3", "speech.ogg", "speech.webm", "speech.flac", "speech.wav"}) {
        const auto whole = read_sound(data_path(std::string("sound/") + file));
        ASSERT_TRUE(whole);
        Pipe p;
        std::thread writer([&] {
            const std::string all = content(std::string("sound/") + file);
            for (size_t at = 0; at < all.size(); at += 1000) p.put(std::string_view(all).substr(at, 1000));
            p.close_writer();
        });
        const auto piped = read_sound(p.path());
        writer.join();
        ASSERT_TRUE(piped) << piped.error().message;
        if (std::string(file) == "speech.mp3") {  // a pipe's header cannot say how much of the last block is padding
            ASSERT_GE(piped->samples.size(), whole->samples.size() * 9 / 10);
        } else {
            EXPECT_EQ(piped->samples, whole->samples) << file;
        }
    }
}

TEST_F(Containers, CutFilesDoNoHarm) {
    for (const char* file : containers) {
        const std::string whole = content(std::string("sound/") + file);
        for (size_t n = 0; n < whole.size(); n += n < 200 ? 7 : 331) {
            const std::string part = whole.substr(0, n);
            const auto reader = SoundReader::open(bytes_of(part), "part");
            if (!reader) {
                EXPECT_TRUE(reader.error().message.starts_with("part: ")) << reader.error().message;
                continue;
            }
            std::vector<float> s;
            for (;;) {
                const auto more = (*reader)->read(1000, s);
                if (!more || !*more) break;
            }
            for (const float x : s) ASSERT_LE(std::fabs(x), 1.5f);
        }
    }
}

TEST_F(Containers, WhatHoldsNoSoundSaysSo) {
    const auto says = [](const std::string& path) { return read_sound(path).error().message; };
    const std::string picture = data_path("pictures/one.png"), mute = data_path("video/turned90.mp4");
    EXPECT_EQ(says(picture), picture + ": holds no sound");
    EXPECT_EQ(says(mute), mute + ": holds no sound");
    const test::TemporaryFile words("This is a letter, and no sound.\n");
    EXPECT_TRUE(says(words.path()).starts_with(words.path() + ": is no sound or video that can be read: ")) << says(words.path());
}

// A playlist would have FFmpeg open other files and addresses.
TEST_F(Containers, NoFileOpensAnother) {
    const std::string target = data_path("sound/speech.mp3");
    for (const std::string& list : {"ffconcat version 1.0\nfile '" + target + "'\n", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + target + "\n#EXT-X-ENDLIST\n"}) {
        const test::TemporaryFile file(list);
        const auto s = read_sound(file.path());
        ASSERT_FALSE(s);
        EXPECT_EQ(s.error().message.find('\n'), std::string::npos) << s.error().message;
    }
}

TEST_F(Containers, PacketsOfNothingButDamage) {
    std::string flac = content("sound/speech.flac");
    for (size_t i = 200; i < flac.size(); i++) flac[i] = static_cast<char>(i * 2654435761u >> 13);
    const auto reader = SoundReader::open(bytes_of(flac), "bad.flac");
    std::vector<float> s;
    const auto more = reader ? (*reader)->read(1000, s) : Result<bool>(reader.error());
    ASSERT_FALSE(more);
    EXPECT_TRUE(more.error().message.starts_with("bad.flac: ")) << more.error().message;
}

// ---- reading as it arrives, without FFmpeg ----

TEST(Sound, WhatHasArrivedIsGivenOut) {
    Pipe p;
    std::string samples;
    for (int i = 0; i < 100; i++) samples += test::number(static_cast<uint64_t>(i * 100), 2);
    p.put(test::WavFile{.samples = samples, .open_end = true}.bytes());
    const auto reader = SoundReader::open(p.path());
    ASSERT_TRUE(reader) << reader.error().message;
    std::vector<float> s;
    ASSERT_TRUE(*(*reader)->read(16000, s));
    EXPECT_EQ(s.size(), 100u);  // and the pipe is still open
    p.put(std::string_view("\x00", 1));
    p.put("\x40");
    ASSERT_TRUE(*(*reader)->read(16000, s));
    ASSERT_EQ(s.size(), 101u);
    EXPECT_EQ(s.back(), 0.5f);
    p.close_writer();
    EXPECT_FALSE(*(*reader)->read(16000, s));
    EXPECT_FALSE(*(*reader)->read(16000, s));
    EXPECT_EQ((*reader)->note(), "");
}

TEST(Sound, AWaitCanBeEnded) {
    Pipe p;
    p.put(test::WavFile{.open_end = true}.bytes());
    int asked = 0;
    const auto reader = SoundReader::open(p.path(), [&] { return ++asked < 3; });
    ASSERT_TRUE(reader);
    std::vector<float> s;
    const auto more = (*reader)->read(100, s);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, Code::cancelled);
    EXPECT_EQ(asked, 3);
}

TEST(Sound, StandardInput) {
    Pipe p;
    p.put(test::WavFile{.samples = test::number(0x4000, 2)}.bytes());
    p.close_writer();
    const int kept = dup(STDIN_FILENO);
    dup2(p.ends[0], STDIN_FILENO);
    const auto s = read_sound("-");
    dup2(kept, STDIN_FILENO);
    close(kept);
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(s->samples, std::vector<float>{0.5f});
}

TEST(Sound, TooLongOrNoneAtAll) {
    const test::TemporaryFile file(test::WavFile{.rate = 8000, .samples = std::string(32000, 'x')}.bytes());
    EXPECT_TRUE(read_sound(file.path(), 2));
    EXPECT_EQ(read_sound(file.path(), 1.9).error().message, file.path() + ": has more than 1.9 seconds of sound, which is the most that is read at once");
    const test::TemporaryFile none(test::WavFile{}.bytes());
    EXPECT_EQ(read_sound(none.path()).error().message, none.path() + ": holds no sound");
    EXPECT_EQ(read_sound("/no/such/file").error().code, Code::not_found);
}

TEST(Sound, WithoutFFmpegTheSentenceNamesIt) {
    if (media_support().containers) GTEST_SKIP() << "this build has FFmpeg";
    EXPECT_EQ(read_sound(data_path("sound/speech.mp3")).error().message, data_path("sound/speech.mp3") + ": is no WAV file, and this build has no FFmpeg to decode other sound");
}

}  // namespace
}  // namespace gemma3n
