// A slice in place is the exported model, bit for bit, from and to either container; and a session may change between slices at any token.
#include "quant/slice.h"

#include "gemma3n/engine.h"
#include "model/checkpoint_dir.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <random>

namespace gemma3n::test {
namespace {

namespace fs = std::filesystem;

const std::vector<int> ids = [] {  // longer than the window of 16, several of each kind
    std::vector<int> v = {2};
    for (int i = 0; i < 40; i++) v.push_back(20 + (i * 37) % 400);
    return v;
}();

std::shared_ptr<Engine> load(const std::string& path, const EngineOptions& options = {.threads = 2}) {
    auto e = Engine::load(path, options);
    if (!e) ADD_FAILURE() << e.error().message;
    return e ? *e : nullptr;
}
std::unique_ptr<Session> session(Engine& e, const std::string& size = "") {
    auto s = e.new_session({.size = size});
    if (!s) ADD_FAILURE() << s.error().message;
    return s ? std::move(*s) : nullptr;
}
std::vector<float> append(Session& s, std::span<const int> more) {
    const auto l = s.append(more);
    if (!l) ADD_FAILURE() << l.error().message;
    return l ? std::vector<float>(l->begin(), l->end()) : std::vector<float>();
}
// Logits after the prompt (through the shortcut) and after each of three more tokens.
std::vector<std::vector<float>> logits(Engine& e, const std::string& size = "") {
    auto s = session(e, size);
    std::vector<std::vector<float>> out = {append(*s, std::span(ids).first(38))};
    for (size_t i = 38; i < ids.size(); i++) out.push_back(append(*s, std::span(ids).subspan(i, 1)));
    return out;
}

class Exports : public testing::TestWithParam<std::string> {
protected:
    static std::string made(const CheckpointDir& dir, const std::string& type, bool gguf, bool towers = false) {
        const std::string path = dir.path() + (gguf ? "/model.gguf" : "/model");
        synth::Options options;
        options.towers = towers;
        const auto& shape = *synth::find_shape("elastic");
        const auto mix = *format::mix_from_name(type);
        const Status s = gguf ? synth::write_gguf(shape, mix, path, options) : synth::write_hf(shape, mix, path, options);
        if (!s) ADD_FAILURE() << s.error().message;
        return path;
    }
    static Status exported(const std::string& in, const std::string& out, const std::string& to, bool dequantise = false) {
        quant::SliceOptions o;
        o.to = to;
        o.dequantise = dequantise;
        return quant::slice(in, out, o);
    }
};

TEST_P(Exports, OfAGgufFileIsTheSliceInPlace) {
    const CheckpointDir dir;
    const std::string in = made(dir, GetParam(), true);
    const auto whole = load(in);
    ASSERT_TRUE(whole);
    for (const std::string size : {"small", "mix", "block", "full"}) {
        const std::string out = dir.path() + "/" + size + ".gguf";
        const Status s = exported(in, out, size);
        ASSERT_TRUE(s) << s.error().message;
        const auto alone = load(out);
        ASSERT_TRUE(alone);
        const Slice slice = *whole->find_size(size);
        EXPECT_EQ(alone->info().n_layers, static_cast<int64_t>(slice.layers.size()));
        EXPECT_EQ(alone->info().ff, slice.ff);
        EXPECT_EQ(logits(*whole, size), logits(*alone)) << size;
        EXPECT_EQ(alone->sizes().size(), 1u) << "the list is of the whole model";
        EXPECT_EQ(alone->sizes()[0].bytes_per_token, whole->size_info(slice)->bytes_per_token);
        EXPECT_EQ(alone->sizes()[0].prompt_products, whole->size_info(slice)->prompt_products);
    }
}
INSTANTIATE_TEST_SUITE_P(Types, Exports, testing::Values("f32", "bf16", "q4_0", "q8_0", "q4_k_m", "q6_k"));

using ExportForms = Exports;

TEST_F(ExportForms, FromEachToEach) {
    const CheckpointDir dir;
    const std::string hf = made(dir, "f32", false, true), gguf = made(dir, "f32", true);
    std::ofstream(hf + "/chat_template.jinja") << "{{ messages }}";
    for (const std::string& in : {hf, gguf}) {
        const auto whole = load(in, {.threads = 2, .activations = Activations::f32});
        ASSERT_TRUE(whole);
        for (const std::string size : {"small", "mix"}) {
            for (const std::string ending : {"", ".gguf"}) {
                const std::string out = dir.path() + "/" + (in == hf ? "of_hf_" : "of_gguf_") + size + ending;
                const Status s = exported(in, out, size);
                ASSERT_TRUE(s) << s.error().message;
                const auto alone = load(out, {.threads = 2, .activations = Activations::f32});
                ASSERT_TRUE(alone) << out;
                const auto expected = logits(*whole, size), got = logits(*alone);
                EXPECT_EQ(expected, got) << out;
                EXPECT_EQ(alone->info().has_tokenizer, !(in == gguf && ending.empty())) << out;
                EXPECT_EQ(alone->info().vision, in == hf && ending.empty()) << "towers come along in a directory";
            }
        }
    }
    EXPECT_TRUE(fs::exists(dir.path() + "/of_hf_small/chat_template.jinja"));
    const std::string quantised = dir.path() + "/quantised.gguf";
    ASSERT_TRUE(quant::quantise(hf, quantised, {.mix = format::Mix::q8_0}));
    EXPECT_EQ(load(quantised)->sizes().size(), 4u) << "the list goes along where the layers stay";
}

TEST_F(ExportForms, QuantisedToADirectoryOnlyDequantised) {
    const CheckpointDir dir;
    const std::string in = made(dir, "q8_0", true), out = dir.path() + "/out";
    const Status refused = exported(in, out, "small");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("expected --dequantise bf16, or an output that ends in .gguf"), std::string::npos) << refused.error().message;
    EXPECT_FALSE(fs::exists(out)) << "nothing is left behind";
    const Status done = exported(in, out, "small", true);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(load(out)->info().tensor_types.count("q8_0"), 0u);
    EXPECT_FALSE(exported(in, in, "small")) << "the input is not overwritten";
    EXPECT_FALSE(exported(in, dir.path() + "/x.gguf", "e2b"));
}

TEST_F(ExportForms, WidthsAreWholeBlocks) {
    const CheckpointDir dir;
    const std::string in = made(dir, "q4_0", true), json = dir.path() + "/odd.json";
    const auto whole = load(in);
    const auto width = [&](int64_t w) {
        std::ofstream(json) << "{\"widths\": " << w << "}";
        const auto s = whole->find_size(json);
        return s ? "" : s.error().message;
    };
    EXPECT_EQ(width(96), "");
    EXPECT_EQ(logits(*whole, json).size(), 4u);
    EXPECT_EQ(width(100), "size '" + json + "' has width 100 in layer 0: 'blk.0.ffn_down.weight' is q4_0, in blocks of 32: expected a multiple of that, 96 or 128");
    EXPECT_EQ(width(7), "size '" + json + "' has width 7 in layer 0: 'blk.0.ffn_down.weight' is q4_0, in blocks of 32: expected a multiple of that, 32");
}

// ---- switching ---------------------------------------------------------------------------------------------------------

class Switching : public testing::Test {
protected:
    void SetUp() override {
        path_ = dir_.path() + "/model.gguf";
        const Status s = synth::write_gguf(*synth::find_shape("elastic"), format::Mix::q4_0, path_, {});
        ASSERT_TRUE(s) << s.error().message;
        engine_ = load(path_);
        ASSERT_TRUE(engine_);
    }
    static int64_t resident_kb() {
        std::ifstream f("/proc/self/statm");
        int64_t all = 0, resident = 0;
        f >> all >> resident;
        return resident * 4;
    }
    CheckpointDir dir_;
    std::string path_;
    std::shared_ptr<Engine> engine_;
};

TEST_F(Switching, AHundredTimesGivesTheSameBitsAndTakesNoMemory) {
    const std::vector<std::string> names = {"full", "small", "mix", "block"};
    std::mt19937 random(7);
    std::vector<std::pair<size_t, int>> schedule;  // size, id
    for (int i = 0; i < 200; i++) schedule.push_back({random() % names.size(), static_cast<int>(20 + random() % 400)});
    std::vector<Slice> slices;
    for (const std::string& n : names) slices.push_back(*engine_->find_size(n));
    std::vector<double> took;
    const auto walk = [&](Session& s, bool timed) {
        std::vector<std::vector<float>> out = {append(s, ids)};
        for (const auto& [size, id] : schedule) {
            const auto start = std::chrono::steady_clock::now();
            EXPECT_TRUE(s.set_size(slices[size]));
            if (timed) took.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
            out.push_back(append(s, {&id, 1}));
        }
        return out;
    };
    auto first = session(*engine_);
    const auto expected = walk(*first, false);
    const int64_t before = resident_kb();
    first->clear();
    ASSERT_TRUE(first->set_size("full"));
    EXPECT_EQ(walk(*first, true), expected);
    EXPECT_LE(resident_kb() - before, 1024) << "kB";
    EXPECT_EQ(walk(*session(*load(path_)), false), expected) << "an engine that has seen nothing else";
    std::sort(took.begin(), took.end());
    RecordProperty("switch_us", static_cast<int>(took[took.size() / 2] * 1e6));
    EXPECT_LT(took[took.size() / 2], 1e-3) << "the middle one: another program may take the core in between";
}

TEST_F(Switching, SessionsOfDifferentSizesShareAStep) {
    const std::vector<std::string> names = {"small", "full", "mix", "small"};
    std::vector<std::unique_ptr<Session>> together, apart;
    for (const std::string& n : names) {
        for (auto* all : {&together, &apart}) {
            all->push_back(session(*engine_, n));
            append(*all->back(), std::span(ids).first(3 + all->size()));
        }
    }
    std::vector<StepRow> rows;
    for (size_t i = 0; i < names.size(); i++) {
        rows.push_back({together[i].get(), 30 + static_cast<int>(i), nullptr, i == 2});
        rows.push_back({together[i].get(), 50 + static_cast<int>(i), nullptr, true});
    }
    const auto got = engine_->step(rows);
    ASSERT_TRUE(got) << got.error().message;
    std::vector<float> all(got->values, got->values + got->n * got->vocab);
    ASSERT_EQ(got->n, 5);
    int64_t at = 0;
    for (size_t i = 0; i < names.size(); i++) {
        const StepRow mine[] = {{apart[i].get(), 30 + static_cast<int>(i), nullptr, i == 2}, {apart[i].get(), 50 + static_cast<int>(i), nullptr, true}};
        const auto expected = engine_->step(mine);
        ASSERT_TRUE(expected) << expected.error().message;
        for (int64_t r = 0; r < expected->n; r++, at++) {
            const std::vector<float> a(all.begin() + at * got->vocab, all.begin() + (at + 1) * got->vocab), b(expected->row(r).begin(), expected->row(r).end());
            EXPECT_EQ(a, b) << names[i];
        }
    }
}

TEST_F(Switching, OtherOwnersAreRefusedOrReadAgain) {
    const std::string json = dir_.path() + "/without2.json";
    std::ofstream(json) << R"({"skip": [2]})";
    auto s = session(*engine_);
    append(*s, std::span(ids).first(20));
    const Status refused = s->set_size(json);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "size 'without2' skips layer 2 and size 'full' keeps it: keys and values serve only slices that keep the same of the layers that own them; the tokens so far can be processed again");
    EXPECT_EQ(s->size().name, "full");
    const Status cancelled = s->set_size(json, {.reprocess = true, .progress = [](int64_t, int64_t) { return false; }});
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, Code::cancelled);
    EXPECT_EQ(s->size().name, "full");
    EXPECT_EQ(s->n_tokens(), 20);
    const Status again = s->set_size(json, {.reprocess = true});
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(s->n_tokens(), 20);
    auto plain = session(*engine_, json);
    append(*plain, std::span(ids).first(20));
    EXPECT_EQ(append(*s, std::span(ids).subspan(20, 1)), append(*plain, std::span(ids).subspan(20, 1)));
    s->clear();
    EXPECT_TRUE(s->set_size("full")) << "an empty session has nothing to lose";
    const std::vector<float> vector(256, 0.5f);
    const StepRow row[] = {{s.get(), 30, vector.data(), true}};
    ASSERT_TRUE(engine_->step(row));
    EXPECT_NE(s->set_size(json, {.reprocess = true}).error().message.find("some came as vectors of the caller"), std::string::npos);
}

TEST_F(Switching, PrefillInOneSizeDecodeInAnother) {
    auto s = session(*engine_, "small"), by_hand = session(*engine_, "full");
    const auto a = s->generate(ids, {.sampling = {.temperature = 0}, .max_tokens = 4, .stop_at_eos = false, .prefill_size = "full"});
    ASSERT_TRUE(a) << a.error().message;
    append(*by_hand, std::span(ids).first(40));
    ASSERT_TRUE(by_hand->set_size("small"));
    const auto b = by_hand->generate(std::span(ids).last(1), {.sampling = {.temperature = 0}, .max_tokens = 4, .stop_at_eos = false});
    ASSERT_TRUE(b) << b.error().message;
    EXPECT_EQ(a->ids, b->ids);
    ASSERT_EQ(a->sizes.size(), 2u);
    EXPECT_EQ(a->sizes[0].size, "full");
    EXPECT_EQ(a->sizes[0].prompt_tokens, 40);
    EXPECT_EQ(a->sizes[1].size, "small");
    EXPECT_EQ(a->sizes[1].prompt_tokens, 1);
    EXPECT_EQ(a->sizes[1].generated_tokens, 4);
}

TEST_F(Switching, WithinAnAnswer) {
    auto s = session(*engine_);
    int n = 0;
    GenerateOptions o{.sampling = {.temperature = 0}, .max_tokens = 6, .stop_at_eos = false};
    o.on_text = [&](const std::string&, int) { return n++ != 2 || static_cast<bool>(s->set_size("small", {.release = true})); };
    const auto a = s->generate(ids, o);
    ASSERT_TRUE(a) << a.error().message;
    ASSERT_EQ(a->sizes.size(), 2u);
    EXPECT_EQ(a->sizes[0].generated_tokens, 3);
    EXPECT_EQ(a->sizes[1].generated_tokens, 3);
    EXPECT_EQ(a->sizes[1].size, "small");
}

}  // namespace
}  // namespace gemma3n::test
