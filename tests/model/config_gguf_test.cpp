// Config from GGUF metadata: every type a count may have, keys of other converters, refusals.
#include "model/config.h"

#include "base/temporary_file.h"
#include "model/tiny_model.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

using model::Config;

Result<Config> read(const GgufBuilder& b) {
    const TemporaryFile f(b.build());
    const auto c = format::Checkpoint::open(f.path());
    if (!c) return c.error();
    return model::read_config(**c);
}
// The tiny model's metadata without `key`, and with what `change` adds.
template <class F>
Result<Config> with(const std::string& key, F&& change) {
    GgufBuilder b;
    TinyModel::metadata(b, [&](const std::string& k) { return k == key; });
    change(b);
    return read(b);
}
template <class F>
std::string refusal(const std::string& key, F&& change) {
    const auto c = with(key, change);
    if (c) return "(accepted)";
    return c.error().message.substr(c.error().message.find(": ") + 2);
}
const auto nothing = [](GgufBuilder&) {};

TEST(ConfigGguf, ReadsTheTinyModel) {
    GgufBuilder b;
    TinyModel::metadata(b);
    TinyModel::tokens(b);
    b.tensor("token_embd.weight", {8, 288}, 1, std::string(288 * 16, '\0'));
    const auto c = read(b);
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->n_layers, 4);
    EXPECT_EQ(c->hidden, 8);
    EXPECT_EQ(c->n_streams, 2);
    EXPECT_EQ(c->vocab, 288);
    EXPECT_EQ(c->per_layer_vocab, 0) << "the loader takes it from the table";
    EXPECT_EQ(c->window, 4);
    EXPECT_EQ(c->context_length, 64);
    EXPECT_EQ(c->final_softcap, 30);
    EXPECT_EQ(c->rope_theta_local, 1e4f);
    EXPECT_EQ(c->rope_theta_global, 1e6f);
    EXPECT_EQ(c->altup_coef_clip, 120);
    EXPECT_EQ(c->eos, (std::vector<int>{1, 5}));
    EXPECT_EQ(c->bos, 2);
    EXPECT_FLOAT_EQ(c->layers[0].sparsity_multiplier, 1.6448535f);
    EXPECT_EQ(c->layers[1].sparsity_multiplier, -INFINITY);
    for (int l = 0; l < 4; l++) EXPECT_EQ(c->layers[l].kv_donor, l % 2);
}

TEST(ConfigGguf, RopeScaling) {
    const auto scaled = with("", [](GgufBuilder& b) { b.string("gemma3n.rope.scaling.type", "linear"), b.f32("gemma3n.rope.scaling.factor", 8); });
    ASSERT_TRUE(scaled) << scaled.error().message;
    EXPECT_EQ(scaled->rope_scale_global, 8);
    const auto none = with("", [](GgufBuilder& b) { b.string("gemma3n.rope.scaling.type", "none"), b.f32("gemma3n.rope.scaling.factor", 8); });
    ASSERT_TRUE(none) << none.error().message;
    EXPECT_EQ(none->rope_scale_global, 1);
    EXPECT_EQ(refusal("", [](GgufBuilder& b) { b.string("gemma3n.rope.scaling.type", "yarn"); }), "its rope scaling is 'yarn': expected linear or none");
}

TEST(ConfigGguf, ANameIsFitForATerminal) {
    const auto c = with("general.name", [](GgufBuilder& b) { b.string("general.name", "a\x1b[2Jb"); });
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->name, "a?[2Jb");
}

TEST(ConfigGguf, CountsOfAnyType) {
    const std::string key = "gemma3n.attention.shared_kv_layers";
    const std::function<void(GgufBuilder&)> forms[] = {
        [&](GgufBuilder& b) { b.number<uint8_t>(key, g_u8, 2); },     [&](GgufBuilder& b) { b.number<int8_t>(key, g_i8, 2); },
        [&](GgufBuilder& b) { b.number<uint16_t>(key, g_u16, 2); },   [&](GgufBuilder& b) { b.number<int16_t>(key, g_i16, 2); },
        [&](GgufBuilder& b) { b.number<uint32_t>(key, g_u32, 2); },   [&](GgufBuilder& b) { b.number<int32_t>(key, g_i32, 2); },
        [&](GgufBuilder& b) { b.number<uint64_t>(key, g_u64, 2); },   [&](GgufBuilder& b) { b.number<int64_t>(key, g_i64, 2); },
        [&](GgufBuilder& b) { b.number<float>(key, g_f32, 2); },      [&](GgufBuilder& b) { b.number<double>(key, g_f64, 2); },
    };
    for (const auto& form : forms) {
        const auto c = with(key, form);
        ASSERT_TRUE(c) << c.error().message;
        EXPECT_EQ(c->layers[2].kv_donor, 0);
    }
    for (const float bad : {2.5f, NAN, INFINITY, -INFINITY, 1e30f}) {
        EXPECT_EQ(refusal(key, [&](GgufBuilder& b) { b.f32(key, bad); }), "metadata key '" + key + "' is not one: expected a whole number");
    }
    EXPECT_EQ(refusal(key, [&](GgufBuilder& b) { b.string(key, "2"); }), "metadata key '" + key + "' is not one: expected a whole number");
}

TEST(ConfigGguf, ListsAndPatterns) {
    const auto ff = with("gemma3n.feed_forward_length", [](GgufBuilder& b) { b.numbers<int32_t>("gemma3n.feed_forward_length", g_i32, {1, 2, 3, 4}); });
    ASSERT_TRUE(ff) << ff.error().message;
    EXPECT_EQ(ff->layers[3].ff, 4);
    const std::string pattern = "gemma3n.attention.sliding_window_pattern";
    const auto period = with(pattern, [&](GgufBuilder& b) { b.u32(pattern, 2); });
    ASSERT_TRUE(period) << period.error().message;
    EXPECT_TRUE(period->layers[0].sliding);
    EXPECT_FALSE(period->layers[1].sliding);
    const auto absent = with(pattern, nothing);
    ASSERT_TRUE(absent);
    EXPECT_TRUE(absent->layers[3].sliding) << "period 5";
    EXPECT_EQ(refusal(pattern, [&](GgufBuilder& b) { b.numbers<uint8_t>(pattern, g_bool, {1}); }), "the layer types lists 1 layers: the model has 4");
    EXPECT_EQ(refusal("gemma3n.feed_forward_length", [](GgufBuilder& b) { b.string("gemma3n.feed_forward_length", "x"); }),
              "metadata key 'gemma3n.feed_forward_length' is neither: expected a number or a list of numbers");
    EXPECT_EQ(refusal("gemma3n.feed_forward_length", nothing), "metadata key 'gemma3n.feed_forward_length' is missing: expected a number or a list of numbers");
}

TEST(ConfigGguf, KeysOfOllama) {
    const auto c = with("gemma3n.attention.key_length", [](GgufBuilder& b) {
        b.u32("gemma3n.head_dim", 4).f32("gemma3n.rope.freq_base_local", 2e4f).number<uint8_t>("gemma3n.altup.correct_scale", g_bool, 0).f32("gemma3n.altup.lr_multiplier", 1);
    });
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->head_dim, 4);
    EXPECT_EQ(c->rope_theta_local, 2e4f);
    EXPECT_FALSE(c->altup_correct_scale);
    EXPECT_EQ(refusal("gemma3n.attention.key_length", [](GgufBuilder& b) { b.number<double>("gemma3n.head_dim", g_f64, 1e300); }),
              "metadata key 'gemma3n.head_dim' is not one: expected a whole number");
}

TEST(ConfigGguf, HostileEndIdsAreLeftOut) {
    const auto c = with("", [](GgufBuilder& b) { b.number<double>("tokenizer.ggml.eos_token_id", g_f64, -1e300).f32("tokenizer.ggml.eot_token_id", NAN); });
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_TRUE(c->eos.empty());
}

TEST(ConfigGguf, Refusals) {
    EXPECT_EQ(refusal("general.architecture", nothing), "metadata key 'general.architecture' is missing");
    EXPECT_EQ(refusal("general.architecture", [](GgufBuilder& b) { b.string("general.architecture", "ll\x1bma"); }), "its architecture is 'll?ma': expected gemma3n or gemma3");
    for (const char* key : {"gemma3n.block_count", "gemma3n.embedding_length", "gemma3n.attention.head_count", "gemma3n.embedding_length_per_layer_input"})
        EXPECT_EQ(refusal(key, nothing), std::string("metadata key '") + key + "' is missing: expected a whole number");
    EXPECT_EQ(refusal("gemma3n.attention.value_length", [](GgufBuilder& b) { b.u32("gemma3n.attention.value_length", 8); }), "values of 8 beside keys of 4: expected equal sizes");
    EXPECT_EQ(refusal("gemma3n.block_count", [](GgufBuilder& b) { b.number<uint64_t>("gemma3n.block_count", g_u64, 1ull << 50); }), "the number of layers is 1125899906842624: expected 1 to 4096");
}

}  // namespace
}  // namespace gemma3n::test
