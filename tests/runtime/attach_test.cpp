// Parts of a turn from recordings and videos: where sound is cut, which frames are taken, what stands where; and that sound which arrives
// in pieces becomes what the whole would.
#include "gemma3n/transcribe.h"

#include "model/checkpoint_dir.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace gemma3n::test {
namespace {

using Kind = SoftTokens::Kind;

// Noise, quieter at times: no place is as quiet as another.
std::vector<float> noise(double seconds, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<float> s(static_cast<size_t>(seconds * 16000));
    float loud = 1;
    for (size_t i = 0; i < s.size(); i++) {
        if (i % 1600 == 0) loud = static_cast<float>(random() % 1000) / 1000;
        s[i] = loud * 0.2f * (static_cast<float>(random() % 20001) / 10000 - 1);
    }
    return s;
}

std::vector<std::vector<float>> cut_in_steps(const std::vector<float>& all, size_t step, double max_seconds) {
    ClipCutter cutter(max_seconds);
    std::vector<std::vector<float>> clips;
    for (size_t at = 0; at < all.size(); at += step) {
        cutter.push({all.begin() + static_cast<long>(at), all.begin() + static_cast<long>(std::min(all.size(), at + step))});
        while (auto c = cutter.next()) clips.push_back(c->samples);
    }
    while (auto c = cutter.next(true)) clips.push_back(c->samples);
    return clips;
}

TEST(ClipCutterTest, CutsWhereTheWholeIsCut) {
    for (uint32_t seed = 0; seed < 20; seed++) {
        const std::vector<float> all = noise(9 + 0.37 * seed, seed);
        std::vector<std::vector<float>> expected;
        for (const Piece& p : pieces_at_quiet_points(all, 3)) expected.emplace_back(all.begin() + p.begin, all.begin() + p.end);
        for (const size_t step : {size_t{1000}, size_t{16000}, all.size()}) EXPECT_EQ(cut_in_steps(all, step, 3), expected) << seed << " " << step;
    }
    EXPECT_TRUE(cut_in_steps({}, 1, 3).empty());
}

TEST(ClipCutterTest, WhatIsCertainStaysInItsClip) {
    int64_t most_certain = 0;
    for (uint32_t seed = 0; seed < 20; seed++) {
        const std::vector<float> all = noise(3.02 + 0.1 * seed, seed);  // one clip or two
        const int64_t end = pieces_at_quiet_points(all, 3).front().end;
        ClipCutter cutter(3);
        for (size_t at = 0; at < all.size(); at += 800) {
            cutter.push({all.begin() + static_cast<long>(at), all.begin() + static_cast<long>(std::min(all.size(), at + 800))});
            if (cutter.next()) break;
            EXPECT_LE(cutter.certain(), end) << seed << " after " << at;
            EXPECT_GE(cutter.certain(), std::min<int64_t>(static_cast<int64_t>(cutter.waiting().size()), 32000)) << "the first two thirds are always certain";
            most_certain = std::max(most_certain, cutter.certain());
        }
    }
    EXPECT_GT(most_certain, 40000) << "sound does not wait for the end of a clip";
}

class Attach : public testing::Test {
protected:
    static void SetUpTestSuite() {
        dir_ = new CheckpointDir;
        synth::Options o;
        o.towers = true;
        ASSERT_TRUE(write_hf(*synth::find_shape("tiny"), format::Mix::f32, dir_->path() + "/m", o));
        engine_ = *Engine::load(dir_->path() + "/m", {.threads = 2});
    }
    static void TearDownTestSuite() {
        engine_.reset();
        delete dir_;
    }
    static CheckpointDir* dir_;
    static std::shared_ptr<Engine> engine_;
};
CheckpointDir* Attach::dir_ = nullptr;
std::shared_ptr<Engine> Attach::engine_;

class Played : public SoundReader {
public:
    explicit Played(std::vector<float> all, double says = -1) : all_(std::move(all)), says_(says < 0 ? static_cast<double>(all_.size()) / 16000 : says) {}
    Result<bool> read(int64_t n, std::vector<float>& samples) override {
        const size_t end = std::min(all_.size(), at_ + static_cast<size_t>(n));
        samples.insert(samples.end(), all_.begin() + static_cast<long>(at_), all_.begin() + static_cast<long>(end));
        return end > std::exchange(at_, end);
    }
    double duration() const override { return says_; }
    std::string note() const override { return {}; }

private:
    std::vector<float> all_;
    double says_;
    size_t at_ = 0;
};

// A film whose n-th frame is all n.
class Film : public VideoReader {
public:
    Film(double seconds, double fps, bool tells, std::vector<float> sound) : n_(static_cast<int>(seconds * fps)), fps_(fps), said_(tells ? seconds : 0), sound_(std::move(sound)) {}
    Result<std::optional<Frame>> next(std::vector<float>* sound) override {
        const double at = i_ / fps_;
        const size_t end = i_ < n_ ? std::min(sound_.size(), static_cast<size_t>(at * 16000)) : sound_.size();
        if (sound) sound->insert(sound->end(), sound_.begin() + static_cast<long>(heard_), sound_.begin() + static_cast<long>(end));
        heard_ = end;
        if (i_ == n_) return std::optional<Frame>();
        return std::optional<Frame>({at, {32, 32, std::vector<uint8_t>(32 * 32 * 3, static_cast<uint8_t>(i_++))}});
    }
    double duration() const override { return said_; }
    bool has_sound() const override { return !sound_.empty(); }
    int64_t dropped() const override { return 0; }
    std::string note() const override { return {}; }

private:
    int n_, i_ = 0;
    double fps_, said_;
    std::vector<float> sound_;
    size_t heard_ = 0;
};

TEST_F(Attach, LongSoundIsAllItsClipsInOrder) {
    const std::vector<float> all = noise(70, 1);
    Played reader(all);
    const auto a = attach_sound(*engine_, reader);
    ASSERT_TRUE(a) << a.error().message;
    const auto pieces = pieces_at_quiet_points(all, engine_->info().clip_seconds);
    ASSERT_EQ(a->media.size(), pieces.size());
    for (size_t i = 0; i < pieces.size(); i++) {
        EXPECT_EQ(a->media[i].begin_s, static_cast<double>(pieces[i].begin) / 16000);
        EXPECT_DOUBLE_EQ(a->media[i].end_s, static_cast<double>(pieces[i].end) / 16000);
        const auto alone = engine_->encode_sound({all.begin() + pieces[i].begin, all.begin() + pieces[i].end});
        EXPECT_EQ(a->media[i].part.tokens->values, (*alone)->values);
    }
    ASSERT_EQ(a->notes.size(), 1u);
    EXPECT_TRUE(a->notes[0].starts_with("70.0 s of sound are 3 clips, cut at ")) << a->notes[0];
    Played nothing({});
    EXPECT_EQ(attach_sound(*engine_, nothing).error().code, Code::bad_file);
}

TEST_F(Attach, AClipStandsBehindTheFramesThatWereShownWhileItSounded) {
    const std::vector<float> sound = noise(40, 2);
    const double cut = static_cast<double>(pieces_at_quiet_points(sound, engine_->info().clip_seconds)[0].end) / 16000;
    Film film(40, 0.25, true, sound);
    const auto a = attach_video(*engine_, film, {.frame_side = 32, .fps = 0.25});
    ASSERT_TRUE(a) << a.error().message;
    std::string order, expected;
    for (const Medium& m : a->media) order += m.part.tokens->kind == Kind::image ? 'f' : 'c';
    for (double t = 0; t < 40; t += 4) {
        if (t >= cut && t - 4 < cut) expected += 'c';
        expected += 'f';
    }
    EXPECT_EQ(order, expected + "c");
}

TEST_F(Attach, TooManyFramesAreSpreadOverTheVideo) {
    const auto times = [&](Film film, int64_t most) {
        const auto a = attach_video(*engine_, film, {.frame_side = 32, .max_frames = most});
        std::vector<double> t;
        for (const Medium& m : a->media) t.push_back(m.begin_s);
        if (a->notes.empty()) t.push_back(-1);
        return t;
    };
    EXPECT_EQ(times(Film(4, 1, true, {}), 4), (std::vector<double>{0, 1, 2, 3, -1})) << "nothing to be said";
    EXPECT_EQ(times(Film(40, 1, true, {}), 4), (std::vector<double>{0, 10, 20, 30}));
    EXPECT_EQ(times(Film(9, 1, true, {}), 2), (std::vector<double>{0, 5}));
    EXPECT_EQ(times(Film(4, 1, false, {}), 4), (std::vector<double>{0, 1, 2, 3, -1}));
    EXPECT_EQ(times(Film(40, 1, false, {}), 4), (std::vector<double>{0, 16, 32})) << "of unknown length: every second one, as often as need be";
    EXPECT_EQ(times(Film(7, 1, false, {}), 4), (std::vector<double>{0, 2, 4, 6}));
}

TEST_F(Attach, FramesAreThePicturesAndTheTapSeesEach) {
    std::vector<std::string> seen;
    const EncoderTrace trace{[](const std::string& name) { return name == "pixel_values"; }, [&](const TraceTensor& t) { seen.push_back(t.name); }};
    AttachOptions o{.frame_side = 32};
    std::vector<int64_t> indices;
    o.trace = [&](Kind kind, int64_t index) {
        EXPECT_EQ(kind, Kind::image);
        indices.push_back(index);
        return &trace;
    };
    Film film(3, 1, true, {});
    const auto a = attach_video(*engine_, film, o);
    ASSERT_TRUE(a);
    EXPECT_EQ(indices, (std::vector<int64_t>{0, 1, 2}));
    EXPECT_EQ(seen.size(), 3u);
    const auto alone = engine_->encode_image({32, 32, std::vector<uint8_t>(32 * 32 * 3, 2)}, {32});
    EXPECT_EQ(a->media[2].part.tokens->values, (*alone)->values);
}

// Where the length is known nothing is encoded; where it is not, nothing beyond the room.
TEST_F(Attach, WhatHasNoRoomIsRefusedBeforeItIsEncoded) {
    const ModelInfo& m = engine_->info();
    const int64_t picture = m.image_tokens + 3, clip = m.clip_tokens + 3;
    int64_t encoded = 0;
    AttachOptions o{.frame_side = 32};
    o.trace = [&](Kind, int64_t) -> const EncoderTrace* { return encoded++, nullptr; };
    const auto refused = [&](const auto& attached, int64_t room, const std::string& what) {
        ASSERT_FALSE(attached);
        EXPECT_EQ(attached.error().code, Code::context_full);
        EXPECT_EQ(attached.error().message, what + " tokens of the prompt: there is room for " + std::to_string(room));
    };
    const Image image{32, 32, std::vector<uint8_t>(32 * 32 * 3)};
    o.room = picture - 1;
    refused(attach_image(*engine_, image, o), o.room, "a picture takes at least " + std::to_string(picture));
    EXPECT_EQ(encoded, 0);
    o.room = picture;
    o.image.side = 32;
    EXPECT_TRUE(attach_image(*engine_, image, o));

    encoded = 0;
    o.room = 3 * clip - 1;
    Played seventy(noise(70, 1));
    refused(attach_sound(*engine_, seventy, o), o.room, "70.0 s of sound take at least " + std::to_string(3 * clip));
    EXPECT_EQ(encoded, 0);
    Film film(4, 1, true, noise(4, 1));
    o.room = 4 * picture + clip - 1;
    refused(attach_video(*engine_, film, o), o.room, "4.0 s of video with 4.0 s of sound take at least " + std::to_string(4 * picture + clip));
    EXPECT_EQ(encoded, 0);
    Film fits(4, 1, true, noise(4, 1));
    o.room++;
    EXPECT_TRUE(attach_video(*engine_, fits, o));

    encoded = 0;
    o.room = 2 * picture;
    Film untold(40, 1, false, {});
    refused(attach_video(*engine_, untold, o), o.room, "3 frames of a video take at least " + std::to_string(3 * picture));
    EXPECT_EQ(encoded, 2);

    Played hours(std::vector<float>{}, 1e5);
    o.room = -1;
    refused(attach_sound(*engine_, hours, o), m.context_length, "100000.0 s of sound take at least " + std::to_string(3334 * clip));
    Played untold_sound(noise(70, 1), 0);
    encoded = 0;
    o.room = clip;
    const auto late = attach_sound(*engine_, untold_sound, o);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::context_full);
    EXPECT_EQ(encoded, 0) << "the second clip shows before the first can be cut";
}

// The count before is never more than the count after.
TEST_F(Attach, LeastTokensAreNoMoreThanWhatItBecomes) {
    for (const bool fixed : {true, false}) {
        for (const double seconds : {0.05, 1.0, 29.99, 30.0, 31.0, 64.3}) {
            Played reader(noise(seconds, 3));
            AttachOptions o;
            o.sound.fixed = fixed;
            const int64_t least = least_tokens(*engine_, reader, o);
            const auto a = attach_sound(*engine_, reader, o);
            ASSERT_TRUE(a) << a.error().message;
            int64_t all = 0;
            for (const Medium& m : a->media) all += m.part.tokens->n + 3;
            EXPECT_LE(least, all) << seconds;
            EXPECT_GE(least, all - 3 * static_cast<int64_t>(a->media.size())) << seconds;
        }
    }
}

TEST_F(Attach, FalseFromProgressCancels) {
    Played reader(noise(70, 1));
    AttachOptions o;
    o.progress = [](const AttachProgress& p) { return p.clips < 1; };
    EXPECT_EQ(attach_sound(*engine_, reader, o).error().code, Code::cancelled);
}

TEST_F(Attach, SoundThatArrivesIsTheClipsOfTheWhole) {
    const std::vector<float> all = noise(70, 3);
    Played reader(all);
    const auto whole = attach_sound(*engine_, reader);
    auto stream = *ClipStream::open(engine_);
    std::vector<Medium> clips;
    const ClipStream::OnClip on_clip = [&](Medium m) { return clips.push_back(std::move(m)), Status(); };
    for (size_t at = 0; at < all.size(); at += 11111) {
        ASSERT_TRUE(stream->push({all.begin() + static_cast<long>(at), all.begin() + static_cast<long>(std::min(all.size(), at + 11111))}, on_clip));
    }
    EXPECT_GT(stream->so_far()->n, 10);
    ASSERT_TRUE(stream->finish(on_clip));
    ASSERT_EQ(clips.size(), whole->media.size());
    for (size_t i = 0; i < clips.size(); i++) {
        EXPECT_EQ(clips[i].part.tokens->values, whole->media[i].part.tokens->values) << i;
        EXPECT_EQ(clips[i].begin_s, whole->media[i].begin_s);
    }
}

struct Told {
    std::vector<Segment> segments;
    std::string text;
    SegmentEvents events() {
        return {[this](const std::string& t) { return text += t, true; }, [this](const Segment& s) { return segments.push_back(s), text += "|", true; }};
    }
};

TEST_F(Attach, TranscriptsDoNotDependOnHowSoundCame) {
    const std::vector<float> all = noise(35, 4);
    auto t = *Transcriber::open(engine_, {.max_tokens = 10});
    Told whole, pieces;
    ASSERT_TRUE(t->push(all, whole.events()));
    ASSERT_TRUE(t->finish(whole.events()));
    ASSERT_EQ(whole.segments.size(), 2u);
    EXPECT_EQ(whole.text, whole.segments[0].text + "|" + whole.segments[1].text + "|") << "told as it comes, without white space around it";
    EXPECT_EQ(whole.segments[1].begin_s, whole.segments[0].end_s);
    for (size_t at = 0; at < all.size(); at += 80000) {
        ASSERT_TRUE(t->push({all.begin() + static_cast<long>(at), all.begin() + static_cast<long>(std::min(all.size(), at + 80000))}, pieces.events()));
        ASSERT_TRUE(t->partial()) << "looks on the way change nothing";
    }
    ASSERT_TRUE(t->finish(pieces.events()));
    EXPECT_EQ(pieces.text, whole.text);
}

TEST_F(Attach, APartialTextIsThatOfTheTokensSoFar) {
    const std::vector<float> all = noise(10, 5);
    auto t = *Transcriber::open(engine_, {.max_tokens = 8});
    ASSERT_TRUE(t->push(all));
    const auto partial = t->partial();
    ASSERT_TRUE(partial);
    auto stream = *engine_->new_sound_stream();
    ASSERT_TRUE(stream->push(all));
    auto session = *engine_->new_session();
    GenerateOptions greedy;
    greedy.sampling.temperature = 0;
    greedy.max_tokens = 8;
    const auto answer = session->chat({{"Transcribe the following speech segment in its original language:", nullptr}, {"", stream->so_far()}}, greedy);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->text.find_first_not_of(" \n") == std::string::npos ? "" : answer->text.substr(answer->text.find_first_not_of(" \n")).substr(0, partial->size()), *partial);
}

TEST_F(Attach, ATranslationIsASecondTurn) {
    const std::vector<float> all = noise(5, 6);
    auto t = *Transcriber::open(engine_, {.language = "English", .translate_to = "German", .max_tokens = 6});
    Told told;
    ASSERT_TRUE(t->push(all));
    ASSERT_TRUE(t->finish(told.events()));
    ASSERT_EQ(told.segments.size(), 1u);
    auto session = *engine_->new_session();
    GenerateOptions greedy;
    greedy.sampling.temperature = 0;
    greedy.max_tokens = 6;
    const auto first = session->chat({{"Transcribe the following speech segment in English:", nullptr}, {"", *engine_->encode_sound(all)}}, greedy);
    const auto second = session->chat("Translate it into German:", greedy);
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->text.find(told.segments[0].text), std::string::npos);
    EXPECT_NE(second->text.find(told.segments[0].translation), std::string::npos);
    EXPECT_EQ(told.text, told.segments[0].translation + "|");
}

}  // namespace
}  // namespace gemma3n::test
