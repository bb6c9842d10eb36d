// The towers' benchmark: multiplications counted by hand, arithmetic by the weights' type, and refusals.
#include "measure/towers.h"

#include "model/checkpoint_dir.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

namespace gemma3n::measure {
namespace {

std::shared_ptr<Engine> load(const test::CheckpointDir& dir, format::Mix mix, const char* name, Activations activations = Activations::q8) {
    synth::Options o;
    o.towers = true;
    EXPECT_TRUE(write_gguf(*synth::find_shape("tiny"), mix, dir.path() + "/" + name, o));
    return *Engine::load(dir.path() + "/" + name, {.threads = 1, .activations = activations});
}

// The conformer layer of the tiny tower, width 128: feed-forwards 4 x 128 x 512, attention 4 x 128 x 128 and 13 keys of 128 twice, light
// convolution 3 x 128 x 128 and 5 x 128; 25 rows a second, two layers.
TEST(TowerBench, CountsWhatATokenTakes) {
    const test::CheckpointDir dir;
    const auto e = load(dir, format::Mix::f16, "m.gguf");
    const auto ten = bench_audio(*e, 10, 1, {}), twenty = bench_audio(*e, 20, 1, {});
    ASSERT_TRUE(ten && twenty);
    const double layers = 25 * 2 * (4 * 128.0 * 512 + 7 * 128.0 * 128), conv_0 = 50 * 64 * 32 * 9.0, conv_1 = 25 * 32 * 16 * 32 * 9.0, projection = 25 * 16 * 32 * 128.0, embedder = 6.25 * 128 * 256;
    EXPECT_NEAR((twenty->multiplications - ten->multiplications) / 10, layers + conv_0 + conv_1 + projection + embedder, 0.03 * layers) << "attention's keys and the depthwise convolution come on top";
    EXPECT_FALSE(ten->int8);
    EXPECT_GT(ten->gops(), 0);
}

TEST(TowerBench, PicturesCostWithTheirArea) {
    const test::CheckpointDir dir;
    const auto e = load(dir, format::Mix::q8_0, "m.gguf");
    const auto small = bench_vision(*e, 128, 2, {}), large = bench_vision(*e, 256, 2, {});
    ASSERT_TRUE(small && large) << small.error().message;
    EXPECT_EQ(small->seconds.size(), 2u);
    EXPECT_LE(small->seconds[0], small->seconds[1]);
    const double embedder = 256.0 * 2048 * 256;  // the same 256 tokens
    const double ratio = (large->multiplications - embedder) / (small->multiplications - embedder);
    EXPECT_GT(ratio, 4);
    EXPECT_LT(ratio, 4.5) << "but for attention, which grows faster";
    EXPECT_TRUE(small->int8);
    const auto exact = *Engine::load(dir.path() + "/m.gguf", {.threads = 1, .activations = Activations::f32});
    EXPECT_FALSE(bench_vision(*exact, 128, 1, {})->int8);
}

TEST(TowerBench, Refuses) {
    const test::CheckpointDir dir;
    const auto e = load(dir, format::Mix::q8_0, "m.gguf");
    EXPECT_EQ(bench_vision(*e, 100, 1, {}).error().code, Code::bad_argument);
    EXPECT_EQ(bench_audio(*e, 31, 1, {}).error().code, Code::bad_argument);
    EXPECT_EQ(bench_audio(*e, 1, 1, [](double) { return false; }).error().code, Code::cancelled);
}

}  // namespace
}  // namespace gemma3n::measure
