// Plans with pictures and sound against the truth, and towers under a limit.
#include "gemma3n/attach.h"
#include "media/footprint.h"
#include "runtime/media_case.h"
#include "runtime/plan_case.h"

namespace gemma3n::test {
namespace {

// Towers: what encoding takes, on both paths, and what is given back for it under a limit.
class PlanOfTowers : public Plan {
protected:
    static std::string with_towers(const std::string& mix) {
        const std::string directory = dir_->path() + "/towers-" + mix, p = directory + "/tiny.gguf";
        if (!std::filesystem::exists(p)) {
            std::filesystem::create_directory(directory);
            synth::Options o;
            o.towers = true;
            const Status s = synth::write_gguf(*synth::find_shape("tiny"), *format::mix_from_name(mix), p, o);
            if (!s) ADD_FAILURE() << s.error().message;
        }
        return p;
    }
};

TEST_F(PlanOfTowers, ScratchIsWhatTheyTake) {
    for (const char* mix : {"f32", "q8_0", "q4_0"}) {
        for (const auto activations : {Activations::q8, Activations::f32}) {
            const auto e = load(with_towers(mix), {.threads = 2, .activations = activations});
            ASSERT_TRUE(e);
            SCOPED_TRACE(std::string(mix) + (activations == Activations::f32 ? ", f32" : ", q8"));
            Engine::Impl& i = e->impl();
            for (const int64_t side : {64, 256, 320, 512}) {
                e->release();
                const auto soft = e->encode_image(formula_image("image.0", side), {.side = side});
                ASSERT_TRUE(soft) << soft.error().message;
                const uint64_t planned = runtime::vision_scratch(**i.towers->vision(), side, 2, i.options), peak = i.towers->scratch().peak_bytes();
                EXPECT_LE(peak, planned) << side;
                EXPECT_GE(static_cast<double>(peak), 0.98 * static_cast<double>(planned)) << side;
                EXPECT_EQ(i.towers->scratch().capacity_bytes(), planned) << side;
            }
            for (const size_t n : {2000, 100000, 400000}) {
                e->release();
                const auto soft = e->encode_sound(formula_sound("audio.0", n));
                ASSERT_TRUE(soft) << soft.error().message;
                const uint64_t planned = runtime::audio_scratch(**i.towers->audio(), 2, i.options), peak = i.towers->scratch().peak_bytes();
                EXPECT_LE(peak, planned) << n;
                if (n > 200000) {
                    EXPECT_GE(static_cast<double>(peak), 0.9 * static_cast<double>(planned)) << n;
                }
            }
        }
    }
}

TEST_F(PlanOfTowers, TextAndTowersTakeTurnsUnderALimit) {
    const std::string p = with_towers("q8_0");
    const EngineOptions o{.threads = 2};
    const MemoryNeeds needs{.context_tokens = 512, .image_side = 512, .sound = true};
    const auto plan = plan_memory(p, o, needs);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->peak_bytes, std::max({plan->text_bytes, plan->vision_bytes, plan->audio_bytes}));
    EngineOptions limited = o;
    limited.memory_limit = plan->peak_bytes;  // one at a time: all of them together need more
    const auto a = load(p, o), b = load(p, limited);
    ASSERT_TRUE(a && b);
    const Image image = formula_image("image.0", 512);
    const std::vector<float> sound = formula_sound("audio.0", 30000);
    const auto turns = [&](Engine& e) {
        std::vector<float> all;
        const auto s = e.new_session({.context_tokens = 512});
        EXPECT_TRUE(s) << (s ? "" : s.error().message);
        for (int round = 0; s && round < 2; round++) {
            const auto picture = e.encode_image(image, {.side = 512});
            EXPECT_TRUE(picture) << (picture ? "" : picture.error().message);
            const auto clip = e.encode_sound(sound);
            EXPECT_TRUE(clip) << (clip ? "" : clip.error().message);
            if (!picture || !clip) break;
            all.insert(all.end(), (*picture)->values.begin(), (*picture)->values.end());
            all.insert(all.end(), (*clip)->values.begin(), (*clip)->values.end());
            const auto l = (*s)->append(ids(10));
            EXPECT_TRUE(l) << (l ? "" : l.error().message);
            if (l) all.insert(all.end(), l->begin(), l->end());
        }
        return all;
    };
    EXPECT_EQ(turns(*a), turns(*b));

    // a picture that is too large names one that is not
    const auto s = b->new_session({.context_tokens = 512});
    const auto large = b->encode_image(formula_image("image.0", 64), {.side = 1024});
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, Code::over_budget);
    std::smatch m;
    const std::string sentence = large.error().message;
    ASSERT_TRUE(std::regex_search(sentence, m, std::regex("what fits is a picture of (\\d+) pixels a side"))) << sentence;
    EXPECT_TRUE(b->encode_image(formula_image("image.0", 64), {.side = std::stoll(m[1])}));

    limited.memory_limit = plan->vision_bytes - 1000000;
    const auto refused = plan_memory(p, limited, needs);
    ASSERT_FALSE(refused);
    const std::string why = refused.error().message;
    ASSERT_TRUE(std::regex_search(why, m, std::regex("pictures of (\\d+) pixels a side"))) << why;
    MemoryNeeds smaller = needs;
    smaller.image_side = std::stoll(m[1]);
    EXPECT_TRUE(plan_memory(p, limited, smaller)) << why;
}

TEST_F(PlanOfTowers, ASmallPictureAfterALargeOneKeepsToTheLimit) {
    const std::string p = with_towers("q8_0");
    const auto plan = plan_memory(p, {.threads = 2}, {.context_tokens = 512, .image_side = 512});
    ASSERT_TRUE(plan) << plan.error().message;
    const auto e = load(p, {.threads = 2, .memory_limit = plan->peak_bytes});
    ASSERT_TRUE(e);
    const auto s = e->new_session({.context_tokens = 512});
    ASSERT_TRUE(s) << s.error().message;
    for (const int64_t side : {512, 64}) {
        const auto picture = e->encode_image(formula_image("image.0", 64), {.side = side});
        ASSERT_TRUE(picture) << picture.error().message;
    }
    ASSERT_TRUE((*s)->append(ids(16)));
    Engine::Impl& i = e->impl();
    EXPECT_LE(i.planner->idle() + i.planner->requests() + i.planner->weights(*i.size) + i.budget.sessions() + i.arena.capacity_bytes() + i.towers->scratch().capacity_bytes(), plan->peak_bytes);
}

TEST_F(PlanOfTowers, SoftTokensAndEncodingAreLeftRoomFor) {
    const std::string p = with_towers("q8_0");
    const MemoryNeeds one{.context_tokens = 512, .image_side = 256, .pictures = 1};
    MemoryNeeds many = one;
    many.pictures = 101;
    const auto a = plan_memory(p, {.threads = 2}, one), b = plan_memory(p, {.threads = 2}, many);
    ASSERT_TRUE(a && b);
    const auto e = load(p, {.threads = 2});
    ASSERT_TRUE(e);
    const auto soft = e->encode_image(formula_image("image.0", 64), {.side = 64});
    ASSERT_TRUE(soft);
    EXPECT_EQ(b->text_bytes - a->text_bytes, 100 * (*soft)->values.size() * sizeof(float));
    EXPECT_EQ(b->vision_bytes - a->vision_bytes, 100 * (*soft)->values.size() * sizeof(float));

    // without a context of one's own, one is chosen beside which the towers fit too
    const auto least = plan_memory(p, {.threads = 2}, {.context_tokens = 1024, .chunk_tokens = 16, .image_side = 512, .sound = true});
    ASSERT_TRUE(least) << least.error().message;
    const auto chosen = plan_memory(p, {.threads = 2, .memory_limit = least->peak_bytes}, {.image_side = 512, .sound = true});
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_LE(chosen->peak_bytes, least->peak_bytes);
}

// A chat may be given files: room for one of each is planned where there is some, and where there is none it is said what would leave some.
TEST_F(PlanOfTowers, AttachmentsAreLeftRoomForOrTheReasonIsGiven) {
    const std::string p = with_towers("q8_0");
    const MemoryNeeds text{.context_tokens = 1024}, any{.context_tokens = 1024, .attachments = true};
    const MemoryNeeds each{.context_tokens = 1024, .image_side = MemoryNeeds::own_side, .sound = true, .pictures = 1, .clips = 1, .decoder_bytes = media_support().containers ? video_decoder_bytes : 0};
    const auto with = plan_memory(p, {.threads = 2}, any), by_name = plan_memory(p, {.threads = 2}, each), without = plan_memory(p, {.threads = 2}, text);
    ASSERT_TRUE(with && by_name && without);
    EXPECT_TRUE(with->attachments);
    EXPECT_EQ(with->peak_bytes, by_name->peak_bytes);
    EXPECT_EQ(with->vision_bytes, by_name->vision_bytes);
    EXPECT_GT(with->peak_bytes, without->peak_bytes);

    const auto least = plan_memory(p, {.threads = 2}, {.context_tokens = 1024, .chunk_tokens = 16});
    ASSERT_TRUE(least);
    const EngineOptions tight{.threads = 2, .memory_limit = least->peak_bytes};
    const auto chat = plan_memory(p, tight, any);
    ASSERT_TRUE(chat) << chat.error().message;
    EXPECT_FALSE(chat->attachments);
    EXPECT_LE(chat->peak_bytes, tight.memory_limit);
    std::smatch m;
    ASSERT_TRUE(std::regex_search(chat->no_attachments, m, std::regex("the least limit that works is (\\d+)M, with a context of (\\d+) tokens"))) << chat->no_attachments;
    EngineOptions enough{.threads = 2, .kv = KvType::q8, .memory_limit = std::stoull(m[1]) * 1000000};
    const auto works = plan_memory(p, enough, {.context_tokens = std::stoll(m[2]), .attachments = true});
    ASSERT_TRUE(works) << works.error().message;
    EXPECT_TRUE(works->attachments);

    const auto text_only = plan_memory(path("q4_0"), {.threads = 2}, {.context_tokens = 1024, .attachments = true});
    ASSERT_TRUE(text_only) << text_only.error().message;
    EXPECT_FALSE(text_only->attachments);
    EXPECT_EQ(text_only->no_attachments, "") << "it takes none, with or without a limit";
}

TEST_F(PlanOfTowers, SoftTokensBesideWhichNoPromptFitsAreRefusedBeforeTheWork) {
    const std::string p = with_towers("q8_0");
    const auto plan = plan_memory(p, {.threads = 2}, {.context_tokens = 512, .image_side = 64, .pictures = 3});
    ASSERT_TRUE(plan) << plan.error().message;
    const auto e = load(p, {.threads = 2, .memory_limit = plan->peak_bytes});
    ASSERT_TRUE(e);
    const auto s = e->new_session({.context_tokens = 512});
    ASSERT_TRUE(s) << s.error().message;
    const Image image = formula_image("image.0", 64);
    std::vector<std::shared_ptr<const SoftTokens>> held;
    for (int n = 0; n < 100000; n++) {
        const auto soft = e->encode_image(image, {.side = 64});
        if (!soft) {
            EXPECT_EQ(soft.error().code, Code::over_budget);
            EXPECT_NE(soft.error().message.find("the tokens of a picture are"), std::string::npos) << soft.error().message;
            break;
        }
        held.push_back(*soft);
    }
    EXPECT_GE(held.size(), 3u);
    EXPECT_LT(held.size(), 100000u);
    EXPECT_TRUE((*s)->append(ids(100))) << "what was let in leaves room for a prompt";
    held.pop_back();
    EXPECT_TRUE(e->encode_image(image, {.side = 64})) << "until somebody lets go of one";
}

TEST_F(PlanOfTowers, WhatDecodesCountsWhileItDoes) {
    const auto e = load(with_towers("q8_0"), {.threads = 2});
    ASSERT_TRUE(e);
    const runtime::Planner& planner = *e->impl().planner;
    const uint64_t known = media::Footprint::now();
    {
        const media::Footprint decoder(50000000);
        EXPECT_EQ(media::Footprint::now(), std::max(known, sound_decoder_bytes) + 50000000);
        const uint64_t idle = planner.idle();
        const media::Footprint second(7000000);
        EXPECT_EQ(planner.idle(), idle + 7000000);
        const auto p = plan_memory(with_towers("q8_0"), {.threads = 2}, {.context_tokens = 64, .decoder_bytes = 1000});
        ASSERT_TRUE(p);
        EXPECT_TRUE(std::any_of(p->classes.begin(), p->classes.end(), [](const MemoryClass& c) { return c.name == "decoders" && c.bytes == media::Footprint::now(); }));
    }
    EXPECT_EQ(media::Footprint::now(), std::max(known, sound_decoder_bytes)) << "tables stay";
}

TEST(Frames, OfAVideoAreNoMoreThanItLasts) {
    EXPECT_EQ(frames_of(2.0, {.fps = 1, .max_frames = 32}), 2);
    EXPECT_EQ(frames_of(2.1, {.fps = 2, .max_frames = 32}), 5);
    EXPECT_EQ(frames_of(600, {.fps = 1, .max_frames = 32}), 32);
    EXPECT_EQ(frames_of(0.1, {.fps = 1, .max_frames = 32}), 1);
    EXPECT_EQ(frames_of(0, {.fps = 1, .max_frames = 32}), 33) << "not known";
    EXPECT_EQ(frames_of(1e300, {.fps = 1e9, .max_frames = 32}), 32);
}

}  // namespace
}  // namespace gemma3n::test
