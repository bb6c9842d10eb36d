// run and trace with pictures, recordings and videos: what goes before the text, in which order, and every way in which it does not go.
#include "cli/media_files.h"
#include "cli/terminal.h"
#include "cli/traced.h"

#include "cli/drawing.h"
#include "gemma3n/attach.h"

#include <gtest/gtest.h>

#include <regex>

namespace gemma3n::test {
namespace {

Ran run_media(Args more, const Spawn& how = {}) {
    Args a{"run", towered(), "-t", "1", "--seed", "1", "-n", "4"};
    a.insert(a.end(), more.begin(), more.end());
    return command(a, how);
}

// Tokens of the prompt, as --stats says them.
int prompt_tokens(const Ran& r) {
    const size_t at = r.err.find("prompt      ");
    return at == std::string::npos ? -1 : std::stoi(r.err.substr(at + 12));
}

// Asks until that shows: what arrives by itself comes with a question of its own time.
bool asked_until(Terminal& t, const std::string& question, const std::string& text) {
    for (int i = 0; i < 20; i++) {
        t.type(question + "\n");
        if (t.shows(text, std::chrono::seconds(1))) return true;
    }
    return false;
}

const std::string out_path() { return folder().path() + "/media-trace.safetensors"; }

File traced(Args more) {
    Args a{"trace", towered(), "-t", "1", "-o", out_path()};
    a.insert(a.end(), more.begin(), more.end());
    const Ran r = command(a);
    EXPECT_EQ(r.code, 0) << r.err;
    return r.code == 0 ? read_back(out_path()) : File();
}

class MediaCommand : public testing::Test {
protected:
    void SetUp() override {
        if (!media_support().png || !media_support().containers) GTEST_SKIP() << "built without the decoders";
    }
};

std::vector<int32_t> ids_of(const std::vector<std::string>& kinds, const std::string& text) {
    auto engine = *Engine::load(towered(), {.threads = 1});
    std::vector<Part> parts;
    for (const std::string& k : kinds) {
        const ModelInfo& m = engine->info();
        const int64_t n = k == "image" ? m.image_tokens : m.clip_tokens;
        parts.push_back({"", std::make_shared<SoftTokens>(SoftTokens{k == "image" ? SoftTokens::Kind::image : SoftTokens::Kind::sound, n, m.hidden, {}})});
    }
    parts.push_back({text, nullptr});
    const std::vector<int> ids = engine->chat_prompt({{"user", "", parts}}, true)->ids;
    return {ids.begin(), ids.end()};
}

TEST_F(MediaCommand, FilesGoBeforeTheTextInTheOrderOfTheirFlags) {
    const std::string clip = wav("clip.wav", 1);
    const Args only{"--only", "^input_ids$"};
    const auto ids = [&](Args a) {
        a.insert(a.end(), only.begin(), only.end());
        return traced(a).at("input_ids").ids;
    };
    EXPECT_EQ(ids({"--image", red(), "--audio", clip, "--image", red(), "hello"}), ids_of({"image", "audio", "image"}, "hello"));
    EXPECT_EQ(ids({"--audio", clip, "hello", "--image", red()}), ids_of({"audio", "image"}, "hello")) << "the text may stand anywhere";
    EXPECT_EQ(ids({"--audio", clip, "--image", red(), "--audio", clip, ""}), ids_of({"audio", "image", "audio"}, ""));
}

TEST_F(MediaCommand, TraceNumbersWhatEachPictureAndClipBecomes) {
    const std::string clip = wav("clip.wav", 1);
    const File f = traced({"--image", red(), "--audio", clip, "--image", media("pictures/rgb-420.jpg"), "--image-size", "64", "hello", "--activations", "f32"});
    using Shape = std::vector<int64_t>;
    for (const char* n : {"0", "1"}) {
        EXPECT_EQ(f.at(std::string("pixel_values.") + n).shape, (Shape{1, 3, 64, 64}));
        EXPECT_EQ(f.at(std::string("soft_tokens.image.") + n).shape, (Shape{256, 256}));
        EXPECT_EQ(f.count(std::string("vision.") + n + ".conv_stem"), 1u);
    }
    EXPECT_EQ(f.at("input_features.0").shape, (Shape{97, 128})) << "16,000 samples are a multiple of 128: (16000 - 513) / 160 + 1 frames";
    EXPECT_EQ(f.at("soft_tokens.audio.0").shape, (Shape{188, 256}));
    EXPECT_EQ(f.count("soft_tokens.audio.1"), 0u);
    EXPECT_EQ(f.at("logits").shape[0], static_cast<int64_t>(f.at("input_ids").ids.size()));
    auto engine = *Engine::load(towered(), {.threads = 1, .activations = Activations::f32});
    const auto soft = engine->encode_image(*read_image(red()), {64});
    ASSERT_TRUE(soft);
    EXPECT_EQ(f.at("soft_tokens.image.0").values, (*soft)->values);
    const File own = traced({"--audio", clip, "--audio-tokens", "dynamic", "--only", "soft_tokens", "hello"});
    EXPECT_EQ(own.at("soft_tokens.audio.0").shape, (Shape{7, 256})) << "97 frames, 16 of them a token";
}

TEST_F(MediaCommand, PicturesChangeTheAnswerAndStatsSayWhatTheyTook) {
    const Ran r = run_media({"--stats", "--image", red(), "what is it?"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_TRUE(r.err.starts_with("picture     " + red() + ": 256 tokens, ")) << r.err;
    EXPECT_EQ(prompt_tokens(r), static_cast<int>(ids_of({"image"}, "what is it?").size()));
    const auto say = [](const std::string& picture) { return command({"run", towered(), "-t", "1", "--seed", "1", "-n", "24", "--image", picture, "what is it?"}).out; };
    EXPECT_NE(say(red()), say(media("pictures/lossless.webp")));
}

TEST_F(MediaCommand, PipedTextFollows) {
    const std::string clip = wav("clip.wav", 1);
    EXPECT_EQ(run_media({"--audio", clip, "Summarise"}, {.input = "some notes"}).out, run_media({"--audio", clip, "Summarise\n\nsome notes"}).out);
    EXPECT_EQ(run_media({"--audio", clip}, {.input = "some notes"}).code, 0);
}

TEST_F(MediaCommand, LongSoundIsCutAndSaid) {
    const Ran r = run_media({"--stats", "--audio", wav("long.wav", 70), "hello"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_NE(r.err.find("long.wav: 70.0 s of sound are 3 clips, cut at "), std::string::npos) << r.err;
    EXPECT_EQ(prompt_tokens(r), static_cast<int>(ids_of({"audio", "audio", "audio"}, "hello").size()));
    EXPECT_NE(r.err.find("clip        " + folder().path() + "/long.wav, 0.0 to "), std::string::npos) << r.err;
}

TEST_F(MediaCommand, SoundAndVideoComeFromAPipe) {
    const std::string clip = wav("clip.wav", 2);
    EXPECT_EQ(run_media({"--audio", "-", "hello"}, {.input = read_file(clip)}).out, run_media({"--audio", clip, "hello"}).out);
    const std::string film = media("video/vp9.webm");
    const Ran piped = run_media({"--video", "-", "hello", "--stats"}, {.input = read_file(film)}), read = run_media({"--video", film, "hello", "--stats"});
    EXPECT_EQ(piped.code, 0) << piped.err;
    EXPECT_EQ(piped.out, read.out);
    EXPECT_EQ(prompt_tokens(piped), prompt_tokens(read));
}

TEST_F(MediaCommand, AVideoIsItsFramesAndSoundByTime) {
    const Ran r = run_media({"--stats", "--video", media("video/h264.mp4"), "--fps", "2", "hello"});
    ASSERT_EQ(r.code, 0) << r.err;
    std::vector<std::string> kinds;
    for (size_t at = 0; at < r.err.size(); at = r.err.find('\n', at) + 1) {
        if (r.err.compare(at, 8, "picture ") == 0) kinds.push_back("image");
        if (r.err.compare(at, 5, "clip ") == 0) kinds.push_back("audio");
    }
    EXPECT_EQ(kinds, (std::vector<std::string>{"image", "image", "image", "image", "audio"})) << "two seconds, and their sound\n" << r.err;
    const Ran few = run_media({"--stats", "--video", media("video/h264.mp4"), "--fps", "2", "--max-frames", "2", "hello"});
    EXPECT_NE(few.err.find("h264.mp4: 2.0 s of video: 2 frames, one every 1.0 s, for there are 2 at most"), std::string::npos) << few.err;
}

TEST_F(MediaCommand, EveryErrorNamesTheFileAndWhatWasExpected) {
    struct Wrong {
        Args args;
        int code;
        std::string sentence;  // a part of it
    };
    const std::string text = write_file("notes.txt", "no picture"), silent = write_file("silent.wav", wav_bytes(0));
    for (const Wrong& w : std::vector<Wrong>{{{"--image", "/no/such.png", "hi"}, 1, "gemma3n: /no/such.png: "},
                                             {{"--image", text, "hi"}, 1, text + ": "},
                                             {{"--image", folder().path(), "hi"}, 1, folder().path() + ": "},
                                             {{"--audio", red(), "hi"}, 1, red() + ": "},
                                             {{"--audio", silent, "hi"}, 1, silent + ": "},
                                             {{"--video", text, "hi"}, 1, text + ": "},
                                             {{"--image", "", "hi"}, 2, "--image is '': expected a path"},
                                             {{"--image-size", "100", "--image", red(), "hi"}, 2, "--image-size is '100': expected a multiple of 32 up to 4096"},
                                             {{"--image-size", "0", "hi"}, 2, "--image-size is '0': expected a multiple of 32"},
                                             {{"--fps", "0", "hi"}, 2, "--fps is '0': expected a number"},
                                             {{"--max-frames", "0", "hi"}, 2, "--max-frames is '0': expected a whole number"},
                                             {{"--audio-tokens", "some", "hi"}, 2, "--audio-tokens is 'some': expected fixed or dynamic"},
                                             {{"--audio", "-", "--video", "-", "hi"}, 2, "'-' is given more than once: standard input can be read once"},
                                             {{"--image", red(), "--mmproj", text, "hi"}, 1, text + ": "},
                                             {{"--fps", "2", "hi"}, 2, "--fps is of videos, and none is given: expected --video or --camera"},
                                             {{"--max-frames", "2", "--image", red(), "hi"}, 2, "--max-frames is of videos, and none is given"},
                                             {{"--image-size", "64", "--audio", silent, "hi"}, 2, "--image-size is of pictures and videos, and none is given: expected --image, --video or --camera"},
                                             {{"--audio-tokens", "dynamic", "--image", red(), "hi"}, 2, "--audio-tokens is of sound, and none is given"},
                                             {{"--draw", "hi"}, 2, "--draw is of pictures, recordings and videos, and none is given: expected --image, --audio or --video"},
                                             {{"--draw", "--no-draw", "--image", red(), "hi"}, 2, "--draw and --no-draw cannot be given together"},
                                             {{"-c", "200", "--image", red(), "hi"}, 1, red() + ": a picture takes at least 259 tokens of the prompt: there is room for "},
                                             {{"-c", "300", "--image", red(), "--image", red(), "hi"}, 1, red() + ": with what stands before it, at least 518 tokens of the prompt: there is room for "},
                                             {{"--camera", "/no/such/camera", "hi"}, 1, "/no/such/camera: "}}) {
        const Ran r = run_media(w.args);
        EXPECT_EQ(r.code, w.code) << r.err;
        EXPECT_NE(r.err.find(w.sentence), std::string::npos) << w.sentence << "\n" << r.err;
        EXPECT_EQ(r.out, "");
    }
    const Ran without = command({"run", towerless(), "--image", red(), "hi"});
    EXPECT_EQ(without.code, 1);
    EXPECT_EQ(without.err, "gemma3n: " + red() + ": " + towerless() + ": has no vision tower: pictures need a projector file, an mmproj-*.gguf beside it or named as mmproj (--mmproj of the command)\n");
    const Ran ids = command({"trace", towered(), "--ids", "2", "--image", red(), "-o", out_path()});
    EXPECT_EQ(ids.code, 2);
}

TEST_F(MediaCommand, ALongRecordingIsRefusedBeforeItIsEncoded) {
    // 22 clips of at least 191 tokens each, of which the model's 4096 hold 21
    const std::string hour = wav("eleven-minutes.wav", 22 * 30);
    const Ran r = run_media({"--stats", "--image", red(), "--audio", hour, "hi"}), alone = run_media({"--audio", hour, "hi"});
    EXPECT_EQ(r.code, 1);
    EXPECT_TRUE(r.err.starts_with("gemma3n: " + hour + ": with what stands before it, at least 4461 tokens of the prompt: there is room for ")) << "no picture was encoded\n" << r.err;
    EXPECT_TRUE(alone.err.starts_with("gemma3n: " + hour + ": 660.0 s of sound take at least 4202 tokens of the prompt: there is room for ")) << alone.err;
    const Ran traced = command({"trace", towered(), "--audio", hour, "hi", "-o", out_path()});
    EXPECT_EQ(traced.code, 1);
    EXPECT_NE(traced.err.find("take at least 4202 tokens"), std::string::npos) << traced.err;
    const Ran idle = command({"trace", towered(), "hi", "--fps", "2", "-o", out_path()});
    EXPECT_EQ(idle.code, 2) << idle.err;
}

TEST_F(MediaCommand, MmprojNamesTheTowers) {
    const std::string alone = folder().path() + "/alone";
    std::filesystem::create_directories(alone);
    std::filesystem::copy_file(towered(), alone + "/m.gguf", std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(command({"run", alone + "/m.gguf", "-n", "1", "--image", red(), "hi"}).code, 1);
    EXPECT_EQ(command({"run", alone + "/m.gguf", "-n", "1", "--image", red(), "hi", "--mmproj", folder().path() + "/towers/mmproj-m.gguf"}).code, 0);
}

TEST_F(MediaCommand, ChatAttachesToTheNextMessageAndSurvivesErrors) {
    const std::string spaced = folder().path() + "/a picture of mine.png";
    std::filesystem::copy_file(red(), spaced, std::filesystem::copy_options::overwrite_existing);
    Terminal t({"run", towered(), "-t", "1", "--seed", "3", "-n", "2", "--stats"});
    const auto say = [&](const std::string& line, const std::string& answer) {
        EXPECT_TRUE(t.shows("> ")) << t.screen();
        t.type(line + "\n");
        EXPECT_TRUE(t.shows(answer)) << line << "\n" << t.screen();
    };
    say("/image " + spaced, spaced + ": 1 picture, 256 tokens, for your next message\r\n");
    say("/image /no/such.png", "gemma3n: /no/such.png: ");
    say("/audio", "gemma3n: /audio needs the path of a file");
    say("/audio '" + wav("clip.wav", 1) + "'", "1 clip, 188 tokens, for your next message\r\n");
    say("hello", "prompt      " + std::to_string(ids_of({"image", "audio"}, "hello").size()) + " tokens");
    say("hello", "prompt      " + std::to_string(ids_of({}, "hello").size() - 1 + 3) + " tokens");
    say("/video " + media("video/h264.mp4"), "2 pictures, 1 clip, 700 tokens, for your next message\r\n");
    say("/clear", "");
    say("hello", "prompt      " + std::to_string(ids_of({}, "hello").size()) + " tokens");
    say("/nothing", "gemma3n: '/nothing' is not a command: there are /image PATH, /audio PATH, /video PATH, /size, /clear and /bye");
    say("/bye", "");
    EXPECT_EQ(t.ends(), 0);
}

TEST_F(MediaCommand, AChatUnderALimitHasRoomForFilesOrSaysThatItHasNone) {
    const auto chat = [&](const std::string& limit) { return Args{"run", towered(), "-t", "1", "-n", "2", "-c", "1024", "--memory", limit}; };
    {
        Terminal t(chat("300M"));
        EXPECT_TRUE(t.shows("/image, /audio and /video PATH attach a file")) << t.screen();
        t.type("/image " + red() + "\n");
        EXPECT_TRUE(t.shows("1 picture, 256 tokens, for your next message")) << t.screen();
        t.type("hello\n/bye\n");
        EXPECT_EQ(t.ends(), 0) << t.screen();
    }
    const Ran refused = command({"run", towered(), "-t", "1", "-c", "1024", "--memory", "3M", "x"});
    std::smatch m;
    ASSERT_TRUE(std::regex_search(refused.err, m, std::regex("the least limit that works is (\\d+M), with a context of (\\d+) tokens, keys and values of type q8"))) << refused.err;
    Args tight{"run", towered(), "-t", "1", "-n", "2", "-c", m[2], "--kv", "q8", "--memory", m[1]};
    Terminal t(tight);
    EXPECT_TRUE(t.shows("gemma3n: the limit leaves no room for pictures and sound in this chat: ")) << t.screen();
    EXPECT_TRUE(t.shows("the least limit that works is ")) << t.screen();
    t.type("/image " + red() + "\n");
    EXPECT_TRUE(t.shows(".png: was not planned for: ")) << t.screen();
    t.type("hello\n/bye\n");
    EXPECT_EQ(t.ends(), 0) << t.screen();
}

TEST_F(MediaCommand, AVideoIsPlannedByItsFrames) {
    // two seconds: two frames at one a second, whatever --max-frames would allow
    const auto with = [&](const std::string& frames, const std::string& limit) {
        return command({"run", towered(), "-t", "1", "-n", "1", "-c", "1024", "--memory", limit, "--video", media("video/h264.mp4"), "--max-frames", frames, "hi"});
    };
    const auto least = [&](const std::string& frames) {
        const Ran r = with(frames, "3M");
        std::smatch m;
        EXPECT_TRUE(std::regex_search(r.err, m, std::regex("needs (\\d\\.\\d+) GB"))) << r.err;
        return m.empty() ? 0.0 : std::stod(m[1]);
    };
    EXPECT_NEAR(least("2"), least("2000"), 0.0015);
    EXPECT_EQ(with("2000", "300M").code, 0);
}

// A variable of the environment, for what is spawned; as it was afterwards.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* was = getenv(name)) was_ = was;
        set(value);
    }
    ~Variable() { set(was_ ? was_->c_str() : nullptr); }
    Variable(const Variable&) = delete;

private:
    void set(const char* value) { value ? setenv(name_, value, 1) : unsetenv(name_); }
    const char* name_;
    std::optional<std::string> was_;
};

TEST_F(MediaCommand, DrawingGoesToStandardErrorAndChangesNoAnswer) {
    const Variable no_color("NO_COLOR", "1");
    const Image picture = *read_image(red());
    const std::string clip = wav("clip.wav", 1), film = media("video/h264.mp4"), shades = cli::drawn(std::span(&picture, 1), {80, cli::Colours::shades});
    const auto both = [](Args files) {
        files.insert(files.end(), {"-n", "24", "what is it?"});
        Args a{"run", towered(), "-t", "1", "--seed", "1"};
        a.insert(a.end(), files.begin(), files.end());
        const Ran plain = command(a);
        a.push_back("--draw");
        const Ran drawn = command(a);
        EXPECT_EQ(drawn.code, 0) << drawn.err;
        EXPECT_EQ(drawn.out, plain.out);
        EXPECT_EQ(plain.err, "");
        EXPECT_EQ(drawn.err.find('\033'), std::string::npos);
        return drawn.err;
    };
    EXPECT_EQ(both({"--image", red()}), shades);
    EXPECT_EQ(both({"--image", red(), "--image", red()}), shades + shades);
    EXPECT_TRUE(std::regex_match(both({"--audio", clip}), std::regex("(▁|▂|▃|▄|▅|▆|▇|█)+ 1\\.0 s\n")));
    // two frames of 80 x 48 in 39 columns each, so 23 pixels high; then two seconds of sound
    EXPECT_TRUE(std::regex_match(both({"--video", film}), std::regex("([ .:\\-=+*#%@]{79}\n){12}(▁|▂|▃|▄|▅|▆|▇|█)+ 2\\.0 s\n"))) << both({"--video", film});
}

TEST_F(MediaCommand, AChatInATerminalDrawsWhatIsAttached) {
    const Variable no_color("NO_COLOR", nullptr), depth("COLORTERM", "truecolor"), term("TERM", "xterm-256color");
    const auto attached = [](const Args& more) {
        Args a{"run", towered(), "-t", "1", "-n", "2"};
        a.insert(a.end(), more.begin(), more.end());
        Terminal t(a);
        EXPECT_TRUE(t.shows("> ")) << t.screen();
        t.type("/image " + red() + "\n");
        EXPECT_TRUE(t.shows("1 picture, 256 tokens, for your next message")) << t.screen();
        t.type("/bye\n");
        EXPECT_EQ(t.ends(), 0);
        return t.screen();
    };
    EXPECT_NE(attached({}).find("\033[38;2;"), std::string::npos);
    EXPECT_NE(attached({}).find("▀"), std::string::npos);
    EXPECT_EQ(attached({"--no-draw"}).find("▀"), std::string::npos);
    const Variable none("NO_COLOR", "1");
    EXPECT_EQ(attached({}).find("\033[38"), std::string::npos);
    const Image picture = *read_image(red());
    const std::string shades = cli::drawn(std::span(&picture, 1), {80, cli::Colours::shades});
    EXPECT_NE(attached({}).find(shades.substr(0, shades.find('\n')) + "\r\n"), std::string::npos);
}

TEST_F(MediaCommand, ACameraGivesTheNewestFramesToEachQuestion) {
    // a file in a camera's place is played as fast as it was taken, two seconds
    const Ran once = command({"run", towered(), "-t", "1", "-n", "2", "--camera", media("video/h264.mp4"), "--fps", "5", "--max-frames", "3", "what?"});
    EXPECT_EQ(once.code, 0) << once.err;
    EXPECT_TRUE(once.err.starts_with("[3 pictures, 1 clip, 956 tokens]\n")) << "and the sound of the file\n" << once.err;
    Terminal t({"run", towered(), "-t", "1", "-n", "2", "--camera", media("video/h264.mp4"), "--fps", "5"});
    EXPECT_TRUE(t.shows("> "));
    EXPECT_TRUE(asked_until(t, "what?", " tokens]")) << t.screen();
    EXPECT_TRUE(asked_until(t, "what?", "gemma3n: " + media("video/h264.mp4") + ": has ended")) << t.screen();
    EXPECT_TRUE(t.shows("> "));
    t.type("and now?\n");
    EXPECT_TRUE(t.shows("> ")) << "nothing new came, and the chat goes on";
    t.type("/bye\n");
    EXPECT_EQ(t.ends(), 0);
}

TEST_F(MediaCommand, QuestionsAreAskedInTheTerminalWhileSoundArrives) {
    int in[2];
    ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
    const std::string bytes = wav_bytes(8);
    ASSERT_EQ(write(in[1], bytes.data(), 40000), 40000);
    Terminal t({"run", towered(), "-t", "1", "-n", "2", "--audio", "-"}, in[0]);
    close(in[0]);
    EXPECT_TRUE(t.shows("> ")) << t.screen();
    EXPECT_TRUE(asked_until(t, "what do you hear?", "[1 clip, 188 tokens]")) << t.screen();
    EXPECT_TRUE(t.shows("> "));
    ASSERT_GT(write(in[1], bytes.data() + 40000, bytes.size() - 40000), 0);
    close(in[1]);
    EXPECT_TRUE(asked_until(t, "and now?", "gemma3n: standard input: has ended")) << t.screen();
    EXPECT_TRUE(t.shows("> "));
    t.type("/bye\n");
    EXPECT_EQ(t.ends(), 0);
}

TEST_F(MediaCommand, AStreamThatGoesOnDoesNotHoldTheEndOfTheChat) {
    int in[2];
    ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
    const std::string bytes = wav_bytes(2);
    ASSERT_EQ(write(in[1], bytes.data(), 40000), 40000);
    Terminal t({"run", towered(), "-t", "1", "-n", "2", "--audio", "-"}, in[0]);
    EXPECT_TRUE(t.shows("> "));
    t.type("\x03");
    EXPECT_EQ(t.ends(std::chrono::seconds(5)), 130);
    close(in[0]), close(in[1]);
}

}  // namespace
}  // namespace gemma3n::test
