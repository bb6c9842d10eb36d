// Synthetic checkpoints through the public engine: what is written loads, runs and is the same for everybody.
#include "synth/synth.h"

#include "format/checkpoint.h"
#include "gemma3n/engine.h"
#include "model/checkpoint_dir.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

namespace gemma3n::synth {
namespace {

using format::Mix;
namespace fs = std::filesystem;

constexpr Mix all_mixes[] = {Mix::f32, Mix::f16, Mix::bf16, Mix::q8_0, Mix::q4_0, Mix::q4_1, Mix::q5_0, Mix::q5_1, Mix::q2_k, Mix::q3_k_m,
                              Mix::q4_k_s, Mix::q4_k_m, Mix::q5_k_s, Mix::q5_k_m, Mix::q6_k, Mix::iq4_nl, Mix::iq4_xs};

const Shape& tiny() { return *find_shape("tiny"); }

Shape tiny_gemma3() {
    Shape s = tiny();
    s.is_3n = false;
    s.n_shared = s.n_sparse = s.n_streams = s.per_layer_width = s.laurel_rank = 0;
    s.period = 6;
    s.rope_scale = 8;
    return s;
}

std::string content(const std::string& path) {
    std::ifstream f(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(f), {}};
}

const std::vector<int> prompt = {2, 300, 301, 350, 271, 9, 402, 280, 290, 310, 311, 320, 333, 344, 355, 366, 377, 388, 399, 400, 410};  // longer than the window

// Logits of the prompt's last token.
std::vector<float> logits(const std::string& path, Activations activations = Activations::f32) {
    EngineOptions o;
    o.threads = 2;
    o.activations = activations;
    const auto engine = Engine::load(path, o);
    EXPECT_TRUE(engine) << engine.error().message;
    if (!engine) return {};
    auto session = (*engine)->new_session();
    EXPECT_TRUE(session) << session.error().message;
    const auto l = (*session)->append(prompt);
    EXPECT_TRUE(l) << l.error().message;
    return {l->begin(), l->end()};
}

void expect_sane(const std::vector<float>& l, const Shape& s) {
    ASSERT_GE(static_cast<int64_t>(l.size()), s.text_vocab);
    double squares = 0;
    for (int64_t i = 0; i < s.text_vocab; i++) {
        ASSERT_TRUE(std::isfinite(l[static_cast<size_t>(i)])) << i;
        squares += static_cast<double>(l[static_cast<size_t>(i)]) * l[static_cast<size_t>(i)];
    }
    const double deviation = std::sqrt(squares / static_cast<double>(s.text_vocab));
    EXPECT_GT(deviation, 4);
    EXPECT_LT(deviation, 8);
}

double difference(const std::vector<float>& a, const std::vector<float>& b, int64_t n) {
    double most = 0, largest = 0;
    for (size_t i = 0; i < static_cast<size_t>(n); i++) {
        most = std::max(most, std::fabs(static_cast<double>(a[i]) - b[i]));
        largest = std::max(largest, std::fabs(static_cast<double>(b[i])));
    }
    return most / largest;
}

// Random text of few letters takes every way of merging.
void expect_alike(const Engine& a, const Engine& b, std::string_view letters) {
    uint64_t state = 1;
    for (int round = 0; round < 2000; round++) {
        std::string text;
        for (int i = 0; i < 24; i++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            text += letters[(state >> 40) % letters.size()];
        }
        ASSERT_EQ(*a.tokenize(text), *b.tokenize(text)) << text;
    }
}

class SynthTest : public testing::Test {
protected:
    std::string gguf(const Shape& s, Mix mix, uint64_t seed = 1, int threads = 2, const char* name = "") {
        const std::string path = dir_.path() + "/" + std::string(format::name(mix)) + name + ".gguf";
        const Status written = write_gguf(s, mix, path, {seed, threads, {}});
        EXPECT_TRUE(written) << written.error().message;
        return path;
    }
    std::string hf(const Shape& s, Mix mix, uint64_t seed = 1, int threads = 2, const char* name = "") {
        const std::string path = dir_.path() + "/" + std::string(format::name(mix)) + name;
        const Status written = write_hf(s, mix, path, {seed, threads, {}});
        EXPECT_TRUE(written) << written.error().message;
        return path;
    }
    bool nothing_left() const { return fs::is_empty(dir_.path()); }
    test::CheckpointDir dir_;
};

TEST_F(SynthTest, EveryTypeOfGgufLoadsAndSteps) {
    for (const Mix mix : all_mixes) {
        SCOPED_TRACE(format::name(mix));
        const std::string path = gguf(tiny(), mix);
        expect_sane(logits(path), tiny());
        expect_sane(logits(path, Activations::q8), tiny());
    }
}

TEST_F(SynthTest, EveryTypeOfDirectoryLoadsAndSteps) {
    for (const Mix mix : {Mix::f32, Mix::f16, Mix::bf16}) {
        SCOPED_TRACE(format::name(mix));
        expect_sane(logits(hf(tiny(), mix)), tiny());
    }
}

TEST_F(SynthTest, BothContainersHoldTheSameNetwork) {
    for (const Shape& s : {tiny(), tiny_gemma3()}) {
        const char* name = s.is_3n ? "3n" : "3";
        const std::vector<float> a = logits(gguf(s, Mix::f32, 1, 2, name)), b = logits(hf(s, Mix::f32, 1, 2, name));
        expect_sane(a, s);
        EXPECT_LT(difference(a, b, s.text_vocab), 1e-5) << name;
    }
}

TEST_F(SynthTest, BothContainersTokenizeAlike) {
    const auto a = Engine::load(gguf(tiny(), Mix::q4_0)), b = Engine::load(hf(tiny(), Mix::bf16));
    ASSERT_TRUE(a && b);
    for (const std::string text : {"Hello world, the user\n\n x  y", "a   b\n\n\n c", "water \xC3\xA9\xE6\x97\xA5 'it\"' \\ \t\t", "<start_of_turn>user", "the the there with withthe"}) {
        const auto x = (*a)->tokenize(text), y = (*b)->tokenize(text);
        ASSERT_TRUE(x && y);
        EXPECT_EQ(*x, *y) << text;
        EXPECT_EQ(*(*a)->detokenize(*x), text);
    }
    expect_alike(**a, **b, "the usrmodlkai. \n");
    const auto chat = (*a)->encode_chat({{"user", "Hello"}}, true);
    ASSERT_TRUE(chat) << chat.error().message;
    EXPECT_EQ(chat->at(0), 2);
    EXPECT_EQ(chat->at(1), 6);  // <start_of_turn>
    EXPECT_EQ(*chat, *(*b)->encode_chat({{"user", "Hello"}}, true));
    EXPECT_EQ((*a)->info().eos, (std::vector<int>{1, 7}));
    EXPECT_EQ((*b)->info().eos, (std::vector<int>{1, 7}));
}

TEST_F(SynthTest, ThePublishedVocabularyTokenizesAlikeInBothContainers) {
    Shape s = tiny_gemma3();  // its tables are small
    s.hidden = 16;
    s.n_layers = 1;
    s.pieces = find_shape("e2b")->pieces;
    s.vocab = s.text_vocab = 262144;
    const auto a = Engine::load(gguf(s, Mix::f16)), b = Engine::load(hf(s, Mix::f16));
    ASSERT_TRUE(a && b);
    expect_alike(**a, **b, "kivaton  \n");
    expect_alike(**a, **b, "the world is made of\t<>\n");
}

TEST_F(SynthTest, TypesInTheFileAreThoseOfTheMix) {
    for (const Mix mix : all_mixes) {
        const auto c = format::Checkpoint::open(gguf(tiny(), mix));
        ASSERT_TRUE(c) << c.error().message;
        size_t n = 0;
        for (const GgufTensor& t : gguf_tensors(tiny(), mix)) {
            for (const Tensor& part : t.parts) {
                const format::TensorInfo* found = (*c)->find(part.name);
                ASSERT_TRUE(found) << part.name;
                EXPECT_EQ(found->type, format::type_in_mix(mix, part.name, static_cast<int64_t>(part.shape.size()), part.cols(), {tiny().n_layers, tiny().n_heads / tiny().n_kv_heads})) << part.name;
                EXPECT_EQ(found->shape, part.shape) << part.name;
                n++;
            }
        }
        EXPECT_EQ((*c)->tensors().size(), n);
    }
}

TEST_F(SynthTest, BytesDependOnTheSeedAloneNotOnThreads) {
    for (const Mix mix : {Mix::q4_k_m, Mix::f16}) {
        const std::string one = content(gguf(tiny(), mix, 7, 1, "one"));
        EXPECT_TRUE(one == content(gguf(tiny(), mix, 7, 2, "two")));
        EXPECT_TRUE(one == content(gguf(tiny(), mix, 7, 5, "five")));
        EXPECT_FALSE(one == content(gguf(tiny(), mix, 8, 2, "other")));
    }
    const std::string one = hf(tiny(), Mix::bf16, 7, 1, "one"), two = hf(tiny(), Mix::bf16, 7, 2, "two");
    for (const char* file : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}) {
        EXPECT_FALSE(content(one + "/" + file).empty()) << file;
        EXPECT_TRUE(content(one + "/" + file) == content(two + "/" + file)) << file;
    }
}

TEST_F(SynthTest, TinyHasEveryFeature) {
    const auto engine = Engine::load(gguf(tiny(), Mix::q4_0));
    ASSERT_TRUE(engine);
    const ModelInfo& i = (*engine)->info();
    EXPECT_EQ(i.n_layers, 10);
    EXPECT_EQ(i.n_streams, 4);
    EXPECT_EQ(i.window, 16);
    EXPECT_EQ(i.n_kv_layers, 5);
    EXPECT_EQ(i.per_layer_width, 256);
    EXPECT_EQ(std::count(i.sliding.begin(), i.sliding.end(), false), 2);
    EXPECT_LT(fs::file_size(i.path), 8u << 20);
}

TEST_F(SynthTest, ACancelledWriteLeavesNothing) {
    const Options cancelling{1, 2, [](double fraction) { return fraction < 0.3; }};
    for (const Status& s : {write_gguf(tiny(), Mix::f32, dir_.path() + "/a.gguf", cancelling), write_hf(tiny(), Mix::f32, dir_.path() + "/a", cancelling)}) {
        ASSERT_FALSE(s);
        EXPECT_EQ(s.error().code, Code::cancelled);
    }
    EXPECT_TRUE(nothing_left());
}

TEST_F(SynthTest, WithoutRoomOneSentenceAndNothingLeft) {
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const auto old = signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1 << 20, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string at = dir_.path() + "/a";
    const Status file = write_gguf(tiny(), Mix::f32, at + ".gguf", {}), directory = write_hf(tiny(), Mix::f32, at, {});
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, old);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().message, at + ".gguf: cannot be given room: File too large");
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().message, at + "/model.safetensors: cannot be given room: File too large");
    EXPECT_TRUE(nothing_left());
}

TEST_F(SynthTest, ADirectoryInUseIsNotTouched) {
    const std::string path = dir_.path() + "/mine";
    fs::create_directory(path);
    EXPECT_TRUE(write_hf(tiny(), Mix::bf16, path + "/", {}));  // empty: taken
    const Status again = write_hf(tiny(), Mix::bf16, path, {});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, path + ": is there already and is not an empty directory");
    const Status quantised = write_hf(tiny(), Mix::q4_0, dir_.path() + "/other", {});
    ASSERT_FALSE(quantised);
    EXPECT_EQ(quantised.error().code, Code::bad_argument);
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), {}), 1);
}

}  // namespace
}  // namespace gemma3n::synth
