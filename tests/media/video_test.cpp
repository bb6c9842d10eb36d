// Frames by the clock, in step with the sound; streams that keep arriving; and what is broken.
#include "gemma3n/media.h"

#include "base/limited_memory.h"
#include "base/temporary_file.h"
#include "media/files.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <sstream>
#include <thread>

namespace gemma3n {
namespace {

using test::content;
using test::data_path;

class Video : public testing::Test {
protected:
    void SetUp() override {
        if (!media_support().containers) GTEST_SKIP() << "this build has no FFmpeg";
    }
};

struct Seen {
    std::vector<Frame> frames;
    std::vector<std::vector<float>> sound;  // with each frame, and behind the last
    std::vector<float> all_sound;
    std::string error, note;
};

Seen watch(const std::string& path, const VideoOptions& options) {
    Seen seen;
    const auto reader = VideoReader::open(path, options);
    if (!reader) return seen.error = reader.error().message, seen;
    for (;;) {
        std::vector<float> sound;
        auto frame = (*reader)->next(&sound);
        if (!frame) {
            seen.error = frame.error().message;
            break;
        }
        seen.sound.push_back(sound);
        seen.all_sound.insert(seen.all_sound.end(), sound.begin(), sound.end());
        if (!*frame) break;
        seen.frames.push_back(std::move(**frame));
        if (seen.frames.size() > 1000) break;
    }
    seen.note = (*reader)->note();
    return seen;
}

TEST_F(Video, FramesAreFFmpegsOwnPixels) {
    std::map<std::pair<std::string, double>, Seen> seen;
    std::map<std::pair<std::string, double>, size_t> n;
    std::istringstream lines(content("video/expected.txt"));
    std::string file, crc;
    double fps;
    size_t number;
    int64_t width, height;
    while (lines >> file >> fps >> number >> width >> height >> crc) {
        Seen& s = seen.try_emplace({file, fps}, watch(data_path("video/" + file), {.fps = fps})).first->second;
        n[{file, fps}]++;
        ASSERT_EQ(s.error, "");
        ASSERT_LT(number, s.frames.size()) << file;
        EXPECT_EQ(s.frames[number].seconds, static_cast<double>(number) / fps);
        EXPECT_EQ(s.frames[number].image.width, width);
        EXPECT_EQ(s.frames[number].image.height, height);
        EXPECT_EQ(test::crc32(s.frames[number].image.rgb), static_cast<uint32_t>(std::stoul(crc, nullptr, 16))) << file << ", frame " << number;
    }
    EXPECT_GE(n.size(), 6u);
    for (const auto& [key, count] : n) EXPECT_EQ(seen[key].frames.size(), count) << key.first;
}

// Frame N begins at N^2 / 50 seconds, has ten times N in its red, and the last of the 13 lasts a tenth of a second.
TEST_F(Video, TheFrameShownIsTheLastThatHasBegun) {
    for (const double fps : {0.5, 1.0, 2.0, 5.0, 7.0, 50.0}) {
        const Seen s = watch(data_path("video/irregular.mkv"), {.fps = fps});
        ASSERT_EQ(s.error, "");
        EXPECT_EQ(s.frames.size(), static_cast<size_t>(std::ceil(2.98 * fps - 1e-9))) << fps;
        for (size_t k = 0; k < s.frames.size(); k++) {
            const int expected = static_cast<int>(std::sqrt(50 * static_cast<double>(k) / fps + 1e-9));
            EXPECT_EQ(s.frames[k].image.rgb[0], 10 * expected) << fps << ", frame " << k;
        }
    }
}

TEST_F(Video, SoundComesInStep) {
    for (const char* file : {"h264.mp4", "vp9.webm"}) {
        const std::string path = data_path(std::string("video/") + file);
        const auto whole = read_sound(path);
        ASSERT_TRUE(whole);
        const Seen s = watch(path, {.fps = 4});
        ASSERT_EQ(s.frames.size(), 8u);
        EXPECT_EQ(s.all_sound, whole->samples) << file;
        for (size_t k = 1; k < 8; k++) EXPECT_EQ(s.sound[k].size(), 4000u) << file << ", frame " << k;
        EXPECT_LT(s.sound[0].size(), 200u);
        const Seen mute = watch(path, {.fps = 4, .sound = false});
        EXPECT_EQ(mute.frames.size(), 8u);
        EXPECT_TRUE(mute.all_sound.empty());
    }
}

// Silence stands before a track that begins later; what lies before the pictures goes with the first of them.
TEST_F(Video, TracksThatBeginApart) {
    const auto late = read_sound(data_path("video/late-sound.mkv")), early = read_sound(data_path("video/early-sound.mkv"));
    ASSERT_TRUE(late && early);
    Seen s = watch(data_path("video/late-sound.mkv"), {.fps = 5});
    ASSERT_EQ(s.error, "");
    std::vector<float> expected(8000, 0.0f);
    expected.insert(expected.end(), late->samples.begin(), late->samples.end());
    EXPECT_EQ(s.all_sound, expected);
    for (size_t k = 1; k < s.frames.size(); k++) EXPECT_EQ(s.sound[k].size(), 3200u) << k;
    s = watch(data_path("video/early-sound.mkv"), {.fps = 5});
    ASSERT_EQ(s.error, "");
    EXPECT_EQ(s.all_sound, early->samples);
    EXPECT_EQ(s.sound[0].size(), 8000u);
    EXPECT_EQ(s.sound[1].size(), 3200u);
}

// Fifty minutes of silence behind the last frame is handed over as it is made, and takes no memory where nobody wants it.
TEST_F(Video, AHoleBehindTheLastFrame) {
    const std::string path = data_path("video/sound-with-hole.mkv");
    const Seen s = watch(path, {.fps = 10});
    ASSERT_EQ(s.error, "");
    EXPECT_EQ(s.frames.size(), 13u);
    ASSERT_EQ(s.all_sound.size(), 3000u * 16000 + 3200);
    EXPECT_TRUE(std::all_of(s.all_sound.begin() + 1600, s.all_sound.end() - 1600, [](float x) { return x == 0; }));
    const auto tones = read_sound(path);
    ASSERT_TRUE(tones);
    EXPECT_TRUE(std::equal(tones->samples.begin(), tones->samples.begin() + 1600, s.all_sound.begin()));
    EXPECT_TRUE(std::equal(tones->samples.end() - 1600, tones->samples.end(), s.all_sound.end() - 1600));
    EXPECT_TRUE(test::ends_within(1 << 14, [&] {
        const auto most = [] {
            rusage u{};
            getrusage(RUSAGE_SELF, &u);
            return u.ru_maxrss;  // kilobytes
        };
        const auto before = most();
        const auto reader = VideoReader::open(path, {.fps = 1});
        while ((*(*reader)->next(nullptr)).has_value()) {}
        if (test::limits_memory && most() - before > 48 << 10) _exit(1);  // the address sanitizer keeps what was freed
    }));
}

// Two holes of 2700 seconds each: the second is more than all that is filled.
TEST_F(Video, HolesAreFilledUpToAnHourInAll) {
    const Seen s = watch(data_path("video/sound-with-holes.mkv"), {.fps = 10});
    EXPECT_NE(s.error.find("sound-with-holes.mkv: its sound has holes of more than 3600 seconds in all, 2700 of them before the second 5400: expected less"), std::string::npos) << s.error;
    EXPECT_LE(s.all_sound.size(), 3600u * 16000);
    EXPECT_EQ(watch(data_path("video/sound-with-holes.mkv"), {.fps = 10, .sound = false}).error, "");
}

TEST_F(Video, FramesAreResizedAsPicturesAre) {
    const std::string path = data_path("video/h264.mp4");
    const Seen full = watch(path, {.fps = 1}), small = watch(path, {.fps = 1, .side = 32});
    ASSERT_EQ(small.frames.size(), 2u);
    for (size_t k = 0; k < 2; k++) {
        const auto expected = resized(full.frames[k].image, 32);
        EXPECT_EQ(small.frames[k].image.width, 32);
        EXPECT_EQ(small.frames[k].image.rgb, expected->rgb);
    }
}

TEST_F(Video, SoundOnlyAndWorse) {
    const auto says = [](const std::string& path) { return watch(path, {}).error; };
    for (const char* file : {"sound/speech.mp3", "sound/cover.mp3", "sound/speech.wav"}) EXPECT_EQ(says(data_path(file)), data_path(file) + ": holds no video");
    EXPECT_TRUE(says("/no/such/file").starts_with("/no/such/file: cannot be opened"));
    EXPECT_TRUE(says(G3N_SOURCE_DIR).ends_with(": is a directory"));
    EXPECT_TRUE(says("/dev/video-none").starts_with("/dev/video-none: is no video device that can be read: ")) << says("/dev/video-none");
    const test::TemporaryFile empty, words("This is a letter.");
    EXPECT_EQ(says(empty.path()), empty.path() + ": is empty: expected a video");
    EXPECT_TRUE(says(words.path()).starts_with(words.path() + ": is no sound or video")) << says(words.path());
    for (const double fps : {0.0, -1.0, 1e9, static_cast<double>(NAN)}) EXPECT_NE(watch(data_path("video/h264.mp4"), {.fps = fps}).error, "");
    EXPECT_NE(watch(data_path("video/h264.mp4"), {.side = -1}).error, "");
    // a picture is a video of one frame
    EXPECT_EQ(watch(data_path("pictures/rgb-444.jpg"), {}).frames.size(), 1u);
}

TEST_F(Video, DamageIsLeftOutAndNoted) {
    std::string bytes = content("video/vp9.webm");
    for (size_t i = 4000; i < 4400; i++) bytes[i] = static_cast<char>(i * 2654435761u >> 9);
    const test::TemporaryFile file(bytes);
    const Seen s = watch(file.path(), {.fps = 10});
    EXPECT_EQ(s.error, "");
    EXPECT_GT(s.frames.size(), 5u);
    EXPECT_TRUE(s.note.starts_with(file.path() + ": cannot be read to its end: ")) << s.note;
    std::string mp4 = content("video/h264.mp4");
    for (size_t i = 8000; i < 8400; i++) mp4[i] = 0;
    const test::TemporaryFile painted(mp4);
    const Seen p = watch(painted.path(), {.fps = 10});
    EXPECT_EQ(p.frames.size(), 20u);
    EXPECT_TRUE(p.note.starts_with(painted.path() + ": 1 of 20 packets of video are damaged and were left out or painted over")) << p.note;

    for (size_t i = mp4.find("mdat") + 4; i < mp4.size(); i++) mp4[i] = 0;
    const test::TemporaryFile hollow(mp4);
    const Seen nothing = watch(hollow.path(), {});
    EXPECT_TRUE(nothing.frames.empty());
    EXPECT_TRUE(nothing.error.starts_with(hollow.path() + ": none of its 20 packets of video can be decoded")) << nothing.error;
}

TEST_F(Video, CutAndFlippedFilesDoNoHarm) {
    const test::TemporaryFile file;
    uint32_t x = 7;
    for (const char* name : {"h264.mp4", "vp9.webm", "irregular.mkv", "turned90.mp4"}) {
        const std::string whole = content(std::string("video/") + name);
        for (size_t n = 0; n < whole.size(); n += n < 100 ? 9 : 377) {
            file.write(whole.substr(0, n));
            const Seen s = watch(file.path(), {.fps = 5, .side = 16});
            EXPECT_EQ(s.error.find('\n'), std::string::npos) << s.error;
            EXPECT_TRUE(!s.error.empty() || !s.frames.empty()) << name << ", " << n << " bytes";
        }
        for (int trial = 0; trial < 40; trial++) {
            std::string broken = whole;
            for (int flips = 0; flips < 4; flips++) x = x * 1664525 + 1013904223, broken[(x >> 8) % broken.size()] ^= static_cast<char>(1 << (x >> 4 & 7));
            file.write(broken);
            const Seen s = watch(file.path(), {.fps = 5, .side = 16});
            EXPECT_TRUE(!s.error.empty() || !s.frames.empty());
        }
    }
}

// ---- streams ----

double since(std::chrono::steady_clock::time_point start) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }

// A file stands in for a camera and runs by the clock: a caller that looks away loses frames, never sound.
TEST_F(Video, ALiveStreamDropsFramesAndKeepsSound) {
    const std::string path = data_path("video/h264.mp4");
    const auto whole = read_sound(path);
    const auto start = std::chrono::steady_clock::now();
    const auto reader = VideoReader::open(path, {.fps = 10, .live = true});
    ASSERT_TRUE(reader) << reader.error().message;
    std::vector<float> sound;
    double last = -1;
    int64_t frames = 0;
    for (;;) {
        const auto frame = (*reader)->next(&sound);
        ASSERT_TRUE(frame) << frame.error().message;
        if (!*frame) break;
        EXPECT_GT((**frame).seconds, last);
        EXPECT_GE(since(start), (**frame).seconds);
        last = (**frame).seconds;
        if (frames++ > 0) continue;
        while ((*reader)->dropped() < 6 && since(start) < 60) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(frames + (*reader)->dropped(), 20);
    EXPECT_GE((*reader)->dropped(), 6);
    EXPECT_EQ(sound, whole->samples);
}

struct Pipe {
    int ends[2];
    Pipe() { EXPECT_EQ(pipe(ends), 0); }
    ~Pipe() {
        close(ends[0]);
        if (ends[1] >= 0) close(ends[1]);
    }
    std::string path() const { return "/dev/fd/" + std::to_string(ends[0]); }
};

// The writer stops in the middle and leaves the pipe open: frames up to there are given out, a wait can be ended, and so can the reader.
TEST_F(Video, APipeThatStallsHoldsNobody) {
    Pipe p;
    const std::string bytes = content("video/vp9.webm");
    ASSERT_EQ(write(p.ends[1], bytes.data(), 8000), 8000);
    std::atomic<bool> go_on{true};
    const auto start = std::chrono::steady_clock::now();
    {
        const auto reader = VideoReader::open(p.path(), {.fps = 10, .live = true, .waiting = [&] { return go_on.load(); }});
        ASSERT_TRUE(reader) << reader.error().message;
        const auto first = (*reader)->next(nullptr);
        ASSERT_TRUE(first && *first);
        go_on = false;
        Result<std::optional<Frame>> frame = (*reader)->next(nullptr);
        for (int i = 0; i < 20 && frame; i++) frame = (*reader)->next(nullptr);
        ASSERT_FALSE(frame);
        EXPECT_EQ(frame.error().code, Code::cancelled);
    }
    EXPECT_LT(since(start), 60);
    Pipe silent;
    const auto none = VideoReader::open(silent.path(), {.waiting = [] { return false; }});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::cancelled);
}

TEST_F(Video, APipeGivesWhatTheFileGives) {
    Pipe p;
    std::thread writer([&] {
        const std::string bytes = content("video/vp9.webm");
        EXPECT_EQ(write(p.ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
        close(p.ends[1]);
        p.ends[1] = -1;
    });
    const Seen piped = watch(p.path(), {.fps = 5}), file = watch(data_path("video/vp9.webm"), {.fps = 5});
    writer.join();
    ASSERT_EQ(piped.error, "");
    ASSERT_EQ(piped.frames.size(), file.frames.size());
    for (size_t k = 0; k < file.frames.size(); k++) EXPECT_EQ(piped.frames[k].image.rgb, file.frames[k].image.rgb);
    EXPECT_EQ(piped.sound, file.sound);
}

// The boxes of an MP4 whose index is written last; the same bytes as a file are another matter.
TEST_F(Video, AnIndexAtTheEndOfAPipeIsNamed) {
    std::string bytes = content("video/h264.mp4");
    const auto box = [&](size_t at) { return (size_t{static_cast<uint8_t>(bytes[at + 2])} << 8) + static_cast<uint8_t>(bytes[at + 3]); };
    const size_t index = box(0), n = box(index);
    ASSERT_EQ(bytes.substr(index + 4, 4), "moov");
    bytes = bytes.substr(0, index) + bytes.substr(index + n) + bytes.substr(index, n);
    for (const bool video : {true, false}) {
        Pipe p;
        ASSERT_EQ(write(p.ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
        close(p.ends[1]);
        p.ends[1] = -1;
        std::string error = "none";
        if (video) error = watch(p.path(), {}).error;
        else if (const auto sound = SoundReader::open(p.path()); !sound) error = sound.error().message;
        EXPECT_EQ(error, p.path() + ": is an MP4 file whose index stands at its end, and a pipe cannot be read backwards: expected the file itself, or one written with its index in front (ffmpeg -movflags +faststart)");
    }
}

TEST(VideoWithoutFFmpeg, SaysSo) {
    if (media_support().containers) GTEST_SKIP() << "this build has FFmpeg";
    EXPECT_EQ(VideoReader::open("x.mp4", {}).error().message, "x.mp4: this build has no FFmpeg to decode video");
}

}  // namespace
}  // namespace gemma3n
