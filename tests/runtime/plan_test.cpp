// Plans of memory against the truth: the scratch that a step and a tower really take, the pages that a session really holds, what a limit
// lets in, and that every way out which a refusal names is one.
#include "gemma3n/engine.h"
#include "gemma3n/media.h"
#include "model/checkpoint_dir.h"
#include "model/golden_case.h"
#include "runtime/engine_impl.h"
#include "runtime/media_case.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

namespace gemma3n::test {
namespace {

// One file of each mix for all tests.
class Plan : public testing::Test {
protected:
    static inline std::unique_ptr<CheckpointDir> dir_;
    static void SetUpTestSuite() { dir_ = std::make_unique<CheckpointDir>(); }
    static void TearDownTestSuite() { dir_.reset(); }

    static std::string path(const std::string& mix) {
        const std::string p = dir_->path() + "/" + mix + ".gguf";
        if (!std::filesystem::exists(p)) {
            const Status s = synth::write_gguf(*synth::find_shape("tiny"), *format::mix_from_name(mix), p, {});
            if (!s) ADD_FAILURE() << s.error().message;
        }
        return p;
    }
    static std::shared_ptr<Engine> load(const std::string& path, const EngineOptions& options) {
        auto e = Engine::load(path, options);
        if (!e) ADD_FAILURE() << e.error().message;
        return e ? *e : nullptr;
    }
    static std::vector<int> ids(int64_t n) {
        std::vector<int> v;
        for (int64_t i = 0; i < n; i++) v.push_back(static_cast<int>(i * 79 % 448));
        return v;
    }

    // One step of `rows`, of which the last `wanted` want logits, after `before` others.
    static void expect_scratch(Engine& e, int64_t before, int64_t rows, int64_t wanted) {
        const auto s = e.new_session();
        ASSERT_TRUE(s);
        if (before > 0) {
            ASSERT_TRUE((*s)->append(ids(before)));
        }
        e.release();
        std::vector<StepRow> step;
        for (int64_t i = 0; i < rows; i++) step.push_back({s->get(), static_cast<int>(i % 448), nullptr, i >= rows - wanted});
        const auto l = e.step(step);
        ASSERT_TRUE(l) << l.error().message;
        Engine::Impl& i = e.impl();
        const uint64_t planned = i.planner->scratch(*i.size, i.planner->step(rows, wanted, before + rows)), peak = i.arena.peak_bytes();
        EXPECT_LE(peak, planned) << rows << " rows, " << wanted << " wanted, after " << before;
        EXPECT_GE(static_cast<double>(peak), 0.9 * static_cast<double>(planned)) << rows << " rows, " << wanted << " wanted, after " << before;
        EXPECT_EQ(i.arena.capacity_bytes(), (planned + 63) / 64 * 64) << "in one piece";
    }
};

TEST_F(Plan, ScratchOfAStepIsWhatItTakes) {
    for (const char* mix : {"f32", "q4_0", "q4_k_m", "q8_0"}) {
        for (const auto activations : {Activations::q8, Activations::f32}) {
            const auto e = load(path(mix), {.threads = 2, .activations = activations});
            ASSERT_TRUE(e);
            SCOPED_TRACE(std::string(mix) + (activations == Activations::f32 ? ", f32" : ", q8"));
            for (const int64_t rows : {1, 2, 16, 17, 100, 300}) {
                for (const int64_t wanted : {int64_t{0}, int64_t{1}, rows / 2, rows}) expect_scratch(*e, 0, rows, wanted);
            }
            expect_scratch(*e, 700, 1, 1);
            expect_scratch(*e, 700, 40, 1);
        }
    }
}

TEST_F(Plan, ScratchOfOtherNetworksToo) {
    for (const char* name : {"published-layout", "odd-sizes", "irregular", "gemma3-pattern"}) {
        const GoldenCase golden = GoldenCase::read(name);
        CheckpointDir dir;
        golden.write(dir);
        const auto e = load(dir.path(), {.threads = 3, .activations = Activations::f32});
        ASSERT_TRUE(e);
        for (const int64_t wanted : {0, 1, 9}) {
            const auto s = e->new_session();
            e->release();
            std::vector<StepRow> step;
            for (int64_t i = 0; i < 9; i++) step.push_back({s->get(), static_cast<int>(i), nullptr, i >= 9 - wanted});
            ASSERT_TRUE(e->step(step));
            Engine::Impl& i = e->impl();
            const uint64_t planned = i.planner->scratch(*i.size, i.planner->step(9, wanted, 9)), peak = i.arena.peak_bytes();
            EXPECT_LE(peak, planned) << name << ", " << wanted;
            EXPECT_GE(static_cast<double>(peak), 0.8 * static_cast<double>(planned)) << name << ", " << wanted;
        }
    }
}

TEST_F(Plan, ASessionHoldsNoMoreThanPlanned) {
    for (const KvType kv : {KvType::f16, KvType::q8, KvType::f32}) {
        const auto e = load(path("q4_0"), {.threads = 2, .kv = kv});
        ASSERT_TRUE(e);
        const Engine::Impl& i = e->impl();
        for (const int64_t context : {40, 600, 1500}) {
            for (const int64_t chunk : {16, 100, 512}) {
                const auto s = e->new_session({.context_tokens = context, .chunk_tokens = chunk});
                const uint64_t planned = i.planner->kv(context, chunk, runtime::kv_type(i.options));
                uint64_t most = 0;
                for (int64_t at = 0; at < context;) {
                    const int64_t n = std::min(chunk, context - at);
                    (*s)->impl().cache.prepare(n);
                    most = std::max(most, (*s)->impl().cache.bytes());
                    (*s)->impl().cache.commit(n);
                    at += n;
                }
                EXPECT_LE(most, planned) << context << " by " << chunk;
                const uint64_t plain = model::Cache::most_bytes(i.config, {.type = runtime::kv_type(i.options)}, context, chunk, false);  // nothing to be undone
                EXPECT_LE(most, plain) << context << " by " << chunk;
                EXPECT_GE(static_cast<double>(most), 0.65 * static_cast<double>(plain)) << context << " by " << chunk;
            }
        }
    }
}

TEST_F(Plan, ClassesSumUp) {
    const auto p = plan_memory(path("q4_0"), {}, {.context_tokens = 1000});
    ASSERT_TRUE(p) << p.error().message;
    uint64_t sum = 0;
    for (const MemoryClass& c : p->classes) sum += c.text ? c.bytes : 0;
    EXPECT_EQ(sum, p->text_bytes);
    EXPECT_EQ(p->peak_bytes, p->text_bytes);
    EXPECT_EQ(p->vision_bytes, 0u);
    EXPECT_EQ(p->context_tokens, 1000);
    EXPECT_EQ(p->chunk_tokens, 512);
    EXPECT_EQ(p->kv, KvType::f16);
    const auto longer = plan_memory(path("q4_0"), {}, {.context_tokens = 4000}), eight = plan_memory(path("q4_0"), {.kv = KvType::q8}, {.context_tokens = 4000});
    ASSERT_TRUE(longer && eight);
    EXPECT_GT(longer->peak_bytes, p->peak_bytes);
    EXPECT_LT(eight->peak_bytes, longer->peak_bytes);
    EXPECT_EQ(plan_memory(path("q4_0"), {}, {.context_tokens = 5000}).error().code, Code::bad_argument);
    EXPECT_EQ(plan_memory(path("q4_0"), {}, {.context_tokens = 5, .chunk_tokens = 0}).error().code, Code::bad_argument);
    EXPECT_EQ(plan_memory("/no/such/model", {}).error().code, Code::not_found);
}

// What a refusal names, tried.
void expect_way_out(const std::string& path, EngineOptions o, MemoryNeeds needs, const std::string& sentence) {
    std::smatch m;
    bool named = false;
    const auto works = [&](const EngineOptions& options, const MemoryNeeds& n) {
        named = true;
        const auto p = plan_memory(path, options, n);
        EXPECT_TRUE(p) << sentence << "\n" << (p ? "" : p.error().message);
        if (p) {
            EXPECT_LE(p->peak_bytes, options.memory_limit);
        }
    };
    EngineOptions q8 = o;
    q8.kv = KvType::q8;
    if (std::regex_search(sentence, m, std::regex("the least limit that works is (\\d+)M, with a context of (\\d+) tokens, keys and values of type (\\w+) and size (\\S+)"))) {
        EngineOptions least = m[3] == "q8" ? q8 : o;
        least.memory_limit = std::stoull(m[1]) * 1000000;
        MemoryNeeds n = needs;
        n.context_tokens = std::stoll(m[2]);
        n.size = m[4];
        works(least, n);
        least.memory_limit -= 2000000;
        EXPECT_FALSE(plan_memory(path, least, n)) << "it is the least";
    } else if (std::regex_search(sentence, m, std::regex("a context of (\\d+) tokens together with keys and values of type q8"))) {
        MemoryNeeds n = needs;
        n.context_tokens = std::stoll(m[1]);
        works(q8, n);
    } else {
        const std::string fits = sentence.substr(sentence.find("what fits is"));
        if (fits.find("keys and values of type q8") != std::string::npos) works(q8, needs);
        if (std::regex_search(fits, m, std::regex("a context of (\\d+) tokens"))) {
            MemoryNeeds n = needs;
            n.context_tokens = std::stoll(m[1]);
            works(o, n);
        }
    }
    EXPECT_TRUE(named) << sentence;
}

TEST_F(Plan, UnderALimitSomethingFitsOrAWayOutIsNamed) {
    int refused = 0, answered = 0, smaller = 0;
    for (uint64_t limit = 20000000; limit <= 60000000; limit += 1000000) {
        for (const int64_t context : {0, 700, 4096}) {
            const EngineOptions o{.threads = 2, .memory_limit = limit};
            const MemoryNeeds needs{.context_tokens = context};
            const auto p = plan_memory(path("q4_0"), o, needs);
            if (p) {
                answered++;
                EXPECT_LE(p->peak_bytes, limit);
                EXPECT_EQ(p->limit, limit);
                if (context > 0) {
                    EXPECT_EQ(p->context_tokens, context);
                }
                smaller += p->chunk_tokens < 512 || p->context_tokens < (context > 0 ? context : 4096);
            } else {
                refused++;
                EXPECT_EQ(p.error().code, Code::over_budget);
                expect_way_out(path("q4_0"), o, needs, p.error().message);
            }
        }
    }
    EXPECT_GT(refused, 5);
    EXPECT_GT(answered, 5);
    EXPECT_GT(smaller, 2) << "smaller steps or contexts were chosen";
}

// A limited engine gives the answers of one without a limit: in smaller steps of the same order of sums where these have 16 rows at most.
TEST_F(Plan, AnEngineUnderALimitChoosesAndKeepsTo) {
    const std::string p = path("f32");
    const auto free = plan_memory(p, {.threads = 2}, {.context_tokens = 1024});
    ASSERT_TRUE(free);
    const uint64_t limit = free->peak_bytes - 2000000;
    const auto e = load(p, {.threads = 2, .memory_limit = limit});
    ASSERT_TRUE(e);
    const auto s = e->new_session({.context_tokens = 1024});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_LT((*s)->impl().options.chunk_tokens, 512);
    EXPECT_GE((*s)->impl().options.chunk_tokens, 16);
    ASSERT_TRUE((*s)->append(ids(900)));
    Engine::Impl& i = e->impl();
    EXPECT_LE(i.planner->idle() + i.planner->requests() + i.planner->weights(*i.size) + (*s)->impl().cache.bytes() + i.arena.capacity_bytes(), limit);

    // a caller's own step that is too large is refused, and the rows that fit do
    std::vector<StepRow> rows;
    const auto other = e->new_session({.context_tokens = 64});
    ASSERT_TRUE(other) << other.error().message;
    const int64_t most = e->rows_that_fit(10000, true, 10000);
    EXPECT_LT(most, 10000);
    for (int64_t r = 0; r < 64; r++) rows.push_back({other->get(), 5, nullptr, true});
    EXPECT_EQ(static_cast<bool>(e->step(rows)), e->rows_that_fit(64, true, 64) == 64);

    // sessions are let in with what they may come to hold, until they end
    std::vector<std::unique_ptr<Session>> more;
    for (int n = 0; n < 1000; n++) {
        auto next = e->new_session({.context_tokens = 1024});
        if (!next) {
            EXPECT_EQ(next.error().code, Code::over_budget);
            break;
        }
        more.push_back(std::move(*next));
    }
    EXPECT_LT(more.size(), 100u);
    EXPECT_EQ((*s)->fork().error().code, Code::over_budget);
    more.clear();
    EXPECT_TRUE((*s)->append(std::vector<int>{1})) << "with steps that have become smaller, it goes on";
}

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

// A directory that lists sizes of its own: the largest that fits is taken, and a refusal names the one that would.
TEST_F(Plan, SizeFitTakesTheBestThatFits) {
    const std::string p = dir_->path() + "/sizes";
    const Status written = synth::write_hf(*synth::find_shape("tiny"), format::Mix::f32, p, {});
    ASSERT_TRUE(written) << written.error().message;
    std::ifstream in(p + "/config.json");
    std::string config((std::istreambuf_iterator<char>(in)), {});
    in.close();
    config.insert(config.find('{') + 1, R"("slices": [{"name": "half", "widths": 128}, {"name": "quarter", "widths": 64, "skip": [8]}],)");
    std::ofstream(p + "/config.json") << config;

    const MemoryNeeds needs{.context_tokens = 600, .chunk_tokens = 16};  // no smaller steps that would make a larger size fit
    const auto peak = [&](const std::string& size) {
        const auto plan = plan_memory(p, {.threads = 2, .size = size}, needs);
        EXPECT_TRUE(plan) << size << ": " << (plan ? "" : plan.error().message);
        return plan ? plan->peak_bytes : 0;
    };
    const uint64_t full = peak("full"), half = peak("half"), quarter = peak("quarter");
    EXPECT_GT(full, half);
    EXPECT_GT(half, quarter);
    const auto chosen = [&](uint64_t limit) {
        const auto plan = plan_memory(p, {.threads = 2, .memory_limit = limit, .size = "fit"}, needs);
        return plan ? plan->size : plan.error().message;
    };
    EXPECT_EQ(chosen(full), "full");
    EXPECT_EQ(chosen(half), "half");
    EXPECT_EQ(chosen(quarter), "quarter");
    const auto none = plan_memory(p, {.threads = 2, .memory_limit = 10000000, .size = "fit"}, needs);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::over_budget);
    expect_way_out(p, {.threads = 2, .memory_limit = 10000000}, needs, none.error().message);
    EXPECT_EQ(plan_memory(p, {.threads = 2, .size = "fit"}, needs).error().code, Code::bad_argument) << "nothing to fit";

    const auto named = plan_memory(p, {.threads = 2, .memory_limit = half - 3000000}, needs);
    if (!named) {
        const std::string why = named.error().message;
        std::smatch m;
        if (std::regex_search(why, m, std::regex("size (\\w+)(,|$)"))) {
            EXPECT_TRUE(plan_memory(p, {.threads = 2, .memory_limit = half - 3000000, .size = m[1]}, needs)) << why;
        }
    }
    const auto slow = plan_memory(p, {.threads = 2, .memory_limit = full, .size = "fit"}, {.tokens_per_s = 0.001, .context_tokens = 600, .chunk_tokens = 16});
    ASSERT_TRUE(slow) << slow.error().message;
    EXPECT_EQ(slow->size, "full");
    EXPECT_GT(slow->tokens_per_s, 0.001);
    const auto fast = plan_memory(p, {.threads = 2, .memory_limit = full, .size = "fit"}, {.tokens_per_s = 1e9, .context_tokens = 600, .chunk_tokens = 16});
    ASSERT_FALSE(fast);
    EXPECT_NE(fast.error().message.find("no size answers"), std::string::npos) << fast.error().message;

    // the size that reads prompts counts where it is the larger
    const auto prefilled = plan_memory(p, {.threads = 2, .size = "half"}, {.context_tokens = 600, .chunk_tokens = 16, .prefill_size = "full"});
    ASSERT_TRUE(prefilled) << prefilled.error().message;
    EXPECT_EQ(prefilled->peak_bytes, full);
    EXPECT_EQ(prefilled->size, "half");

    // a second cache is refused where only one fits, and nothing changes
    const auto one = plan_memory(p, {.threads = 2}, {.context_tokens = 4096, .chunk_tokens = 1});
    const auto tight = load(p, {.threads = 2, .memory_limit = one->peak_bytes});
    ASSERT_TRUE(tight);
    const auto only = tight->new_session({.context_tokens = 4096, .chunk_tokens = 1});
    ASSERT_TRUE(only) << only.error().message;
    ASSERT_TRUE((*only)->append(ids(10)));
    ASSERT_FALSE((*only)->fork());
    Slice less = *tight->find_size("full");
    less.name = "less";
    less.layers.erase(less.layers.begin() + 1);
    less.ff.erase(less.ff.begin() + 1);
    const Status other = (*only)->set_size(less, {.reprocess = true});
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::over_budget) << other.error().message;
    EXPECT_EQ((*only)->n_tokens(), 10);

    // pages of a larger size stay where the whole fits
    {
        const auto two = load(p, {.threads = 2, .memory_limit = full + 40000000});
        const auto session = two->new_session({.context_tokens = 600, .chunk_tokens = 16});
        ASSERT_TRUE(session) << session.error().message;
        ASSERT_TRUE((*session)->append(ids(10)));
        ASSERT_TRUE((*session)->set_size("half"));
        ASSERT_TRUE((*session)->append(ids(10)));
        EXPECT_EQ(two->impl().budget.resident.name, "full");
    }

    // sessions of two sizes under a limit: both run, and the limit is the plan's
    const auto e = load(p, {.threads = 2, .memory_limit = full + 12000000});
    ASSERT_TRUE(e);
    const auto free = load(p, {.threads = 2});
    const auto logits = [&](Engine& engine) {
        const auto s = engine.new_session({.context_tokens = 300});
        EXPECT_TRUE(s);
        std::vector<float> all;
        for (const char* size : {"full", "quarter", "full"}) {
            if (size == std::string("quarter") && !(*s)->set_size("quarter")) continue;  // another cache
            const auto l = (*s)->append(ids(10));
            EXPECT_TRUE(l);
            if (l) all.insert(all.end(), l->begin(), l->end());
        }
        return all;
    };
    EXPECT_EQ(logits(*e), logits(*free));
}

TEST_F(Plan, EightBitKeysNeedHeadsOfWholeBlocks) {
    const GoldenCase golden = GoldenCase::read("odd-sizes");
    CheckpointDir dir;
    golden.write(dir);
    const auto e = Engine::load(dir.path(), {.threads = 1, .kv = KvType::q8});
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().code, Code::bad_argument);
    EXPECT_NE(e.error().message.find("expected a multiple of 32"), std::string::npos) << e.error().message;
}

}  // namespace
}  // namespace gemma3n::test
