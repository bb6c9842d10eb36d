// Pictures and sound in characters, character by character; what is drawn is taken from a reader without changing what it gives.
#include "cli/drawing.h"
#include "cli/media_files.h"
#include "cli/sketch.h"

#include <gtest/gtest.h>

#include <regex>

namespace gemma3n::test {
namespace {

using cli::Canvas, cli::Colours, cli::colours_of, cli::drawn, cli::Loudness, cli::shrunk, cli::Sketch, cli::sketched;

using Pixels = std::vector<std::array<uint8_t, 3>>;

Image image(int64_t width, const Pixels& pixels) {
    Image i{width, static_cast<int64_t>(pixels.size()) / width, {}};
    for (const auto& p : pixels) i.rgb.insert(i.rgb.end(), p.begin(), p.end());
    return i;
}

Image grey(int64_t width, const std::vector<int>& levels) {
    Pixels pixels;
    for (const int l : levels) pixels.push_back({static_cast<uint8_t>(l), static_cast<uint8_t>(l), static_cast<uint8_t>(l)});
    return image(width, pixels);
}

std::string drawn(const Image& i, Colours colours, int64_t columns = 80) { return cli::drawn(std::span(&i, 1), Canvas{columns, colours}); }

TEST(Drawing, TwoPixelsACharacterIn24Bits) {
    EXPECT_EQ(drawn(image(2, {{255, 0, 0}, {255, 0, 0}, {0, 0, 255}, {1, 2, 3}}), Colours::full), "\033[38;2;255;0;0;48;2;0;0;255m▀\033[38;2;255;0;0;48;2;1;2;3m▀\033[0m\n");
    EXPECT_EQ(drawn(grey(2, {7, 7, 9, 9}), Colours::full), "\033[38;2;7;7;7;48;2;9;9;9m▀▀\033[0m\n") << "said once while it stays";
    EXPECT_EQ(drawn(grey(1, {7, 9, 8}), Colours::full), "\033[38;2;7;7;7;48;2;9;9;9m▀\033[0m\n\033[38;2;8;8;8;49m▀\033[0m\n") << "below the last of an odd number lies the terminal's own ground";
}

TEST(Drawing, TheNearestOf256Colours) {
    const auto index = [](uint8_t r, uint8_t g, uint8_t b) {
        const std::string s = drawn(image(1, {{r, g, b}}), Colours::indexed);
        std::smatch m;
        return std::regex_match(s, m, std::regex("\033\\[38;5;(\\d+);49m▀\033\\[0m\n")) ? std::stoi(m[1]) : -1;
    };
    EXPECT_EQ(index(0, 0, 0), 16);
    EXPECT_EQ(index(255, 0, 0), 196);
    EXPECT_EQ(index(255, 255, 255), 231);
    EXPECT_EQ(index(95, 135, 175), 67) << "16 + 36 + 2 x 6 + 3";
    EXPECT_EQ(index(99, 130, 180), 67);
    EXPECT_EQ(index(128, 128, 128), 244) << "8 + 10 x 12";
    EXPECT_EQ(index(8, 8, 8), 232);
    EXPECT_EQ(index(240, 240, 240), 255) << "the last grey is 238";
    EXPECT_EQ(drawn(grey(1, {0, 255}), Colours::indexed), "\033[38;5;16;48;5;231m▀\033[0m\n");
}

TEST(Drawing, ShadesArePlainCharacters) {
    EXPECT_EQ(drawn(grey(5, {0, 255, 0, 26, 200, 0, 255, 255, 26, 255}), Colours::shades), " @=.%\n") << "means 0, 255, 127, 26 and 227; a shade is 25.6 wide";
    EXPECT_EQ(drawn(image(3, {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}}), Colours::shades), ":+.\n") << "76, 149 and 29 by BT.601";
    EXPECT_EQ(drawn(grey(1, {255, 255, 128}), Colours::shades), "@\n+\n");
}

TEST(Drawing, SmallerByAveraging) {
    const Image half = shrunk(grey(4, {0, 2, 10, 20, 4, 2, 30, 41}), 2, 8);
    EXPECT_EQ(half.width, 2);
    EXPECT_EQ(half.height, 1);
    EXPECT_EQ(half.rgb, (std::vector<uint8_t>{2, 2, 2, 25, 25, 25})) << "25.25";
    const Image uneven = shrunk(grey(5, {10, 20, 30, 40, 50}), 2, 2);
    EXPECT_EQ(uneven.rgb, (std::vector<uint8_t>{15, 15, 15, 40, 40, 40})) << "two pixels and three";
    EXPECT_EQ(shrunk(image(1, {{1, 10, 100}, {4, 20, 101}}), 1, 1).rgb, (std::vector<uint8_t>{3, 15, 101})) << "a half is rounded up";
}

TEST(Drawing, TheShapeStaysAndNothingGrows) {
    const auto box = [](int64_t w, int64_t h) {
        const Image s = shrunk({w, h, std::vector<uint8_t>(static_cast<size_t>(3 * w * h))}, 48, 48);
        EXPECT_EQ(s.rgb.size(), static_cast<size_t>(3 * s.width * s.height));
        return std::pair(s.width, s.height);
    };
    using Box = std::pair<int64_t, int64_t>;
    EXPECT_EQ(box(400, 300), Box(48, 36));
    EXPECT_EQ(box(300, 400), Box(36, 48));
    EXPECT_EQ(box(128, 128), Box(48, 48));
    EXPECT_EQ(box(48, 48), Box(48, 48));
    EXPECT_EQ(box(3, 2), Box(3, 2));
    EXPECT_EQ(box(1, 50), Box(1, 48));
    EXPECT_EQ(box(65535, 1), Box(48, 1));
    EXPECT_EQ(box(49, 1), Box(48, 1));
}

TEST(Drawing, FitsTheTerminal) {
    const auto lines = [](const std::string& s) { return std::count(s.begin(), s.end(), '\n'); };
    const Image wide{400, 200, std::vector<uint8_t>(400 * 200 * 3)}, tall{2, 5000, std::vector<uint8_t>(2 * 5000 * 3)};
    for (const auto& [terminal, columns] : std::vector<std::pair<int64_t, size_t>>{{200, 48}, {80, 48}, {20, 20}, {1, 1}}) EXPECT_EQ(drawn(wide, Colours::shades, terminal).find('\n'), columns);
    EXPECT_EQ(lines(drawn(wide, Colours::shades)), 12) << "24 pixels";
    EXPECT_EQ(lines(drawn(tall, Colours::shades)), 24);
    const std::vector<Image> row(4, wide);
    EXPECT_EQ(cli::drawn(row, {80, Colours::shades}).find('\n'), 4u * 19 + 3);
    EXPECT_EQ(cli::drawn(row, {300, Colours::shades}).find('\n'), 4u * 23 + 3);
    EXPECT_EQ(cli::drawn(std::span(row).first(2), {300, Colours::shades}).find('\n'), 2u * 47 + 1);
    EXPECT_EQ(cli::drawn(std::span<const Image>(), {80, Colours::full}), "");
}

TEST(Drawing, SideBySide) {
    const std::vector<Image> row{grey(2, {255, 255, 255, 255, 255, 255}), grey(1, {128}), grey(1, {255, 255, 0})};
    EXPECT_EQ(cli::drawn(row, {80, Colours::shades}), "@@ + @\n@@    \n") << "a shorter one ends";
    EXPECT_EQ(cli::drawn(std::span(row).last(2), {80, Colours::full}), "\033[38;2;128;128;128;49m▀\033[0m \033[38;2;255;255;255;48;2;255;255;255m▀\033[0m\n  \033[38;2;0;0;0;49m▀\033[0m\n");
}

TEST(Drawing, TheEnvironmentSaysWhichColours) {
    struct Case {
        bool terminal;
        const char *no_color, *colorterm, *term;
        Colours colours;
    };
    for (const Case& c : std::vector<Case>{{true, nullptr, "truecolor", "xterm-256color", Colours::full},
                                           {true, nullptr, "24bit", "xterm", Colours::full},
                                           {true, "", "truecolor", "xterm", Colours::full},  // NO_COLOR counts when it is not empty
                                           {true, nullptr, nullptr, "xterm-256color", Colours::indexed},
                                           {true, nullptr, "", "screen.256color", Colours::indexed},
                                           {true, nullptr, nullptr, "xterm", Colours::shades},
                                           {true, nullptr, nullptr, nullptr, Colours::shades},
                                           {true, "1", "truecolor", "xterm-256color", Colours::shades},
                                           {true, nullptr, "truecolor", "dumb", Colours::shades},
                                           {false, nullptr, "truecolor", "xterm-256color", Colours::shades}})
        EXPECT_EQ(colours_of(c.terminal, c.no_color, c.colorterm, c.term), c.colours) << (c.colorterm ? c.colorterm : "") << " " << (c.term ? c.term : "");
}

TEST(Drawing, SoundIsAsTallAsItIsLoud) {
    Loudness rising;
    for (int i = 0; i < 8; i++) {
        std::vector<float> stretch(1600, 0.0f);
        stretch[800] = 0.5f * static_cast<float>(i) / 7 * (i % 2 ? -1 : 1);
        rising.add(stretch);
    }
    EXPECT_EQ(cli::drawn(rising, {8 + 7, Colours::shades}), "▁▂▃▄▅▆▇█ 0.8 s\n");
    Loudness silence;
    EXPECT_EQ(cli::drawn(silence, {80, Colours::full}), "") << "none at all";
    silence.add(std::vector<float>(400, 0.0f));
    EXPECT_EQ(cli::drawn(silence, {80, Colours::full}), "▁▁▁ 0.0 s\n") << "a column is at least 10 ms";
}

TEST(Drawing, AnHourOfSoundIsDrawnWhole) {
    Loudness hour;
    const std::vector<float> quiet(sound_rate, 0.0f), loud(sound_rate, 1.0f);
    for (int s = 0; s < 3600; s++) hour.add(s / 75 == 30 ? loud : quiet);  // the 31st of 48 columns
    const std::vector<float> peaks = hour.peaks(48);
    ASSERT_EQ(peaks.size(), 48u);
    EXPECT_EQ(peaks[30], 1);
    for (size_t i = 0; i < 48; i++) EXPECT_TRUE(peaks[i] == 0 || (i >= 29 && i <= 31)) << i << ": a stretch may lie across the end of a column";
    EXPECT_EQ(hour.seconds(), 3600);
    EXPECT_TRUE(cli::drawn(hour, {80, Colours::shades}).ends_with(" 3600.0 s\n"));
}

TEST(Drawing, FourFramesFromTheFirstToTheLast) {
    const auto levels = [](int n) {
        Sketch s;
        for (int i = 0; i < n; i++) s.see(grey(1, {i}));
        const std::string text = s.drawn({80, Colours::full});
        std::vector<int> found;
        const std::regex level("38;2;(\\d+)");
        for (std::sregex_iterator m(text.begin(), text.end(), level), end; m != end; ++m) found.push_back(std::stoi((*m)[1]));
        return found;
    };
    using Levels = std::vector<int>;
    EXPECT_EQ(levels(0), Levels{});
    EXPECT_EQ(levels(1), Levels{0});
    EXPECT_EQ(levels(3), (Levels{0, 1, 2}));
    EXPECT_EQ(levels(4), (Levels{0, 1, 2, 3}));
    EXPECT_EQ(levels(7), (Levels{0, 2, 4, 6}));
    for (const int n : {16, 17, 18, 33, 100, 250}) {
        const Levels l = levels(n);
        ASSERT_EQ(l.size(), 4u) << n;
        EXPECT_EQ(l[0], 0) << n;
        EXPECT_EQ(l[3], n - 1);
        EXPECT_NEAR(l[1], (n - 1) / 3.0, 1 + n / 16.0) << n;
        EXPECT_NEAR(l[2], 2 * (n - 1) / 3.0, 1 + n / 16.0) << n;
    }
}

TEST(Drawing, AReaderGivesWhatItGaveBefore) {
    Sketch sketch;
    const auto sound_of = [](SoundReader& r) {
        std::vector<float> samples;
        for (bool more = true; more;) more = *r.read(1000, samples);
        return samples;
    };
    const std::string clip = wav("sketched.wav", 1);
    const auto heard = sketched(*SoundReader::open(clip), sketch);
    EXPECT_EQ(sound_of(*heard), sound_of(**SoundReader::open(clip)));
    EXPECT_EQ(heard->duration(), 1);
    EXPECT_TRUE(sketch.drawn({80, Colours::shades}).ends_with("█ 1.0 s\n")) << sketch.drawn({80, Colours::shades});

    if (!media_support().containers) GTEST_SKIP() << "built without FFmpeg";
    VideoOptions options{.fps = 5, .side = 64};
    auto plain = *VideoReader::open(media("video/h264.mp4"), options);
    options.side = 0;
    Sketch seen;
    auto drawing = sketched(*VideoReader::open(media("video/h264.mp4"), options), 64, seen);
    std::vector<float> plain_sound, drawing_sound;
    for (int n = 0;; n++) {
        const auto a = *plain->next(&plain_sound), b = *drawing->next(&drawing_sound);
        ASSERT_EQ(a.has_value(), b.has_value());
        if (!a) {
            EXPECT_EQ(n, 10);
            break;
        }
        EXPECT_EQ(a->seconds, b->seconds);
        EXPECT_EQ(b->image.width, 64);
        EXPECT_EQ(a->image.rgb, b->image.rgb) << "bit for bit, resized by either";
    }
    EXPECT_EQ(plain_sound, drawing_sound);
    EXPECT_TRUE(seen.drawn({80, Colours::shades}).ends_with(" 2.0 s\n"));
}

}  // namespace
}  // namespace gemma3n::test
