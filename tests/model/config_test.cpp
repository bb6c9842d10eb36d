// config.json in its forms: what is missing has the sheet's default, what is wrong has its sentence.
#include "model/config.h"

#include "model/checkpoint_dir.h"
#include "model/slice.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

using model::Config;
using model::Family;

Result<Config> read(const std::string& json, const std::string& generation = "", int64_t vocab = 8) {
    const CheckpointDir dir;
    dir.write(json, {{"model.embed_tokens.weight", {vocab, 1}, std::vector<float>(static_cast<size_t>(vocab))}}, DType::f16);
    if (!generation.empty()) std::ofstream(dir.path() + "/generation_config.json") << generation;
    const auto c = format::Checkpoint::open(dir.path());
    if (!c) return c.error();
    return model::read_config(**c);
}

// The sentence from "config.json" on.
std::string refusal(const std::string& json) {
    const auto c = read(json);
    if (c) return "(accepted)";
    return c.error().message.substr(c.error().message.find("config.json: ") + 13);
}
std::string of_text(const std::string& fields) { return R"({"model_type":"gemma3n_text",)" + fields + "}"; }

TEST(ConfigJson, MissingFieldsAreThoseOfE4B) {
    const auto c = read(R"({"model_type":"gemma3n","text_config":{}})");
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->family, Family::gemma3n);
    EXPECT_EQ(c->hidden, 2048);
    EXPECT_EQ(c->n_layers, 35);
    EXPECT_EQ(c->n_heads, 8);
    EXPECT_EQ(c->n_kv_heads, 2);
    EXPECT_EQ(c->head_dim, 256);
    EXPECT_EQ(c->per_layer_vocab, 262144);
    EXPECT_EQ(c->per_layer_width, 256);
    EXPECT_EQ(c->n_streams, 4);
    EXPECT_EQ(c->active_stream, 0);
    EXPECT_EQ(c->altup_coef_clip, 120);
    EXPECT_TRUE(c->altup_correct_scale);
    EXPECT_EQ(c->window, 512);
    EXPECT_EQ(c->context_length, 32768);
    EXPECT_EQ(c->norm_eps, 1e-6f);
    EXPECT_EQ(c->rope_theta_global, 1e6f);
    EXPECT_EQ(c->rope_theta_local, 1e4f);
    EXPECT_EQ(c->rope_scale_global, 1);
    EXPECT_EQ(c->attention_scale, 1);
    EXPECT_EQ(c->final_softcap, 30);
    EXPECT_EQ(c->vocab, 8) << "from the tensor";
    ASSERT_EQ(c->layers.size(), 35u);
    for (int l = 0; l < 35; l++) {
        const model::LayerConfig& layer = c->layers[l];
        EXPECT_EQ(layer.ff, 16384);
        EXPECT_EQ(layer.sliding, (l + 1) % 5 != 0) << l;
        if (l < 10) EXPECT_FLOAT_EQ(layer.sparsity_multiplier, 1.6448536f);
        else EXPECT_EQ(layer.sparsity_multiplier, -INFINITY);
        EXPECT_EQ(layer.kv_donor, l < 20 ? l : layer.sliding ? 18 : 19) << l;
    }
    EXPECT_EQ(last_kv_owner(*c, whole(*c)), 19);
}

TEST(ConfigJson, NestedOrFlatScalarsOrLists) {
    const std::string fields = R"("num_hidden_layers":3,"num_kv_shared_layers":0,"layer_types":["full_attention","sliding_attention","full_attention"],)";
    for (const std::string& json : {of_text(fields + R"("intermediate_size":24,"activation_sparsity_pattern":0.5)"),
                                    R"({"model_type":"gemma3n","text_config":)" + of_text(fields + R"("intermediate_size":[24,24,24.0],"activation_sparsity_pattern":[0.5,0.5,0.5])") + "}"}) {
        const auto c = read(json);
        ASSERT_TRUE(c) << c.error().message;
        for (const auto& l : c->layers) {
            EXPECT_EQ(l.ff, 24);
            EXPECT_NEAR(l.sparsity_multiplier, 0, 1e-9);
        }
        EXPECT_FALSE(c->layers[0].sliding);
        EXPECT_TRUE(c->layers[1].sliding);
    }
}

TEST(ConfigJson, BothFormsOfRope) {
    const std::string few = R"("num_hidden_layers":1,"num_kv_shared_layers":0,)";
    for (const char* rope : {R"("rope_theta":5e5,"rope_local_base_freq":2e4,"rope_scaling":{"rope_type":"linear","factor":8})", R"("rope_theta":5e5,"rope_local_base_freq":2e4,"rope_scaling":{"type":"linear","factor":8})",
                             R"("rope_parameters":{"full_attention":{"rope_type":"linear","factor":8,"rope_theta":5e5},"sliding_attention":{"rope_type":"default","rope_theta":2e4}})"}) {
        const auto c = read(of_text(few + rope));
        ASSERT_TRUE(c) << c.error().message;
        EXPECT_EQ(c->rope_theta_global, 5e5f);
        EXPECT_EQ(c->rope_theta_local, 2e4f);
        EXPECT_EQ(c->rope_scale_global, 8);
    }
    const auto unscaled = read(of_text(few + R"("rope_scaling":null,"query_pre_attn_scalar":256)"));
    ASSERT_TRUE(unscaled);
    EXPECT_EQ(unscaled->rope_scale_global, 1);
    EXPECT_EQ(unscaled->attention_scale, 1) << "the trap of old gemma3n files";
}

TEST(ConfigJson, Gemma3) {
    const auto c = read(R"({"model_type":"gemma3_text","query_pre_attn_scalar":64,"num_hidden_layers":12})");
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->family, Family::gemma3);
    EXPECT_EQ(c->attention_scale, 0.125f);
    EXPECT_EQ(c->final_softcap, 0);
    EXPECT_EQ(c->n_streams, 0);
    EXPECT_FALSE(c->layers[5].sliding);
    EXPECT_TRUE(c->layers[4].sliding);
    EXPECT_TRUE(c->owns_kv(11));
}

TEST(ConfigJson, EndIdsOfAllPlaces) {
    const std::string few = R"("num_hidden_layers":1,"num_kv_shared_layers":0)";
    EXPECT_EQ(read(of_text(few))->eos, std::vector<int>());
    EXPECT_EQ(read(of_text(few + R"(,"eos_token_id":1)"), R"({"eos_token_id":[1,7]})")->eos, (std::vector<int>{1, 7}));
    EXPECT_EQ(read(of_text(few + R"(,"eos_token_id":[3,"x",-1,99999999999])"), "{}")->eos, (std::vector<int>{3}));
    EXPECT_EQ(read(of_text(few), R"({"eos_token_id":1})", 262144)->eos, (std::vector<int>{1, 106})) << "one published file forgets 106";
}

TEST(ConfigJson, Refusals) {
    EXPECT_EQ(refusal("{").substr(0, 18), "is not valid JSON:");
    EXPECT_EQ(refusal(std::string(5000, '[') + std::string(5000, ']')).substr(0, 18), "is not valid JSON:");
    EXPECT_EQ(refusal("[]"), "is not a JSON object");
    EXPECT_EQ(refusal("{}"), "model_type is '': expected gemma3n, gemma3n_text, gemma3 or gemma3_text");
    EXPECT_EQ(refusal(R"({"model_type":"llama"})"), "model_type is 'llama': expected gemma3n, gemma3n_text, gemma3 or gemma3_text");
    EXPECT_EQ(refusal(of_text(R"("hidden_size":"x")")), "'hidden_size' is not a whole number");
    EXPECT_EQ(refusal(of_text(R"("hidden_size":1.5)")), "'hidden_size' is not a whole number");
    EXPECT_EQ(refusal(of_text(R"("rms_norm_eps":[])")), "'rms_norm_eps' is not a number");
    EXPECT_EQ(refusal(of_text(R"("altup_correct_scale":1)")), "'altup_correct_scale' is not true or false");
    EXPECT_EQ(refusal(of_text(R"("intermediate_size":"x")")), "'intermediate_size' is neither a number nor a list");
    EXPECT_EQ(refusal(of_text(R"("intermediate_size":["x"])")), "'intermediate_size' holds something that is not a number");
    EXPECT_EQ(refusal(of_text(R"("intermediate_size":[1,2])")), "the feed-forward widths lists 2 layers: the model has 35");
    EXPECT_EQ(refusal(of_text(R"("activation_sparsity_pattern":[0.5])")), "the activation sparsity lists 1 layers: the model has 35");
    EXPECT_EQ(refusal(of_text(R"("layer_types":[])")), "the layer types lists 0 layers: the model has 35");
    EXPECT_EQ(refusal(of_text(R"("layer_types":7)")), "'layer_types' is not a list");
    EXPECT_EQ(refusal(of_text(R"("layer_types":["chunked"])")), "'layer_types' holds 'chunked': expected sliding_attention or full_attention");
    EXPECT_EQ(refusal(of_text(R"("rope_scaling":{"rope_type":"yarn"})")), "rope_scaling has rope type 'yarn': expected default or linear");
    EXPECT_EQ(refusal(of_text(R"("rope_parameters":{"sliding_attention":{"rope_type":"linear","factor":2}})")), "rope_parameters.sliding_attention has rope type 'linear': expected default");
    EXPECT_EQ(refusal(R"({"model_type":"gemma3","query_pre_attn_scalar":0})"), "'query_pre_attn_scalar' is not positive");
}

TEST(ConfigJson, RefusesNetworksThatOnlyLookAlike) {
    EXPECT_EQ(refusal(of_text(R"("hidden_activation":"silu")")), "'hidden_activation' is 'silu': expected gelu_pytorch_tanh");
    EXPECT_EQ(refusal(of_text(R"("attention_bias":true)")), "'attention_bias' is set: expected false");
    EXPECT_EQ(refusal(R"({"model_type":"gemma3_text","use_bidirectional_attention":true})"), "'use_bidirectional_attention' is set: expected false");
    EXPECT_EQ(refusal(R"({"model_type":"gemma3_text","attn_logit_softcapping":50.0})"), "'attn_logit_softcapping' is set: expected none");
    EXPECT_EQ(refusal(of_text(R"("hidden_activation":"gelu_pytorch_tanh","attention_bias":false,"use_bidirectional_attention":false,"attn_logit_softcapping":null)")), "(accepted)");
}

TEST(ConfigJson, RefusesABrokenGenerationConfig) {
    const auto c = read(of_text(R"("eos_token_id":3)"), R"({"eos_token_id": [1, )");
    ASSERT_FALSE(c);
    EXPECT_NE(c.error().message.find("generation_config.json: is not valid JSON"), std::string::npos) << c.error().message;
}

TEST(ConfigJson, RefusesNumbersOutOfRange) {
    const std::pair<const char*, const char*> cases[] = {
        {R"("num_hidden_layers":0)", "the number of layers is 0: expected 1 to 4096"},
        {R"("num_hidden_layers":4097)", "the number of layers is 4097: expected 1 to 4096"},
        {R"("hidden_size":-1)", "the hidden size is -1: expected 1 to 1048576"},
        {R"("hidden_size":9000000000000000)", "the hidden size is 9000000000000000: expected 1 to 1048576"},
        {R"("hidden_size":18446744073709551615)", "'hidden_size' is not a whole number"},
        {R"("num_attention_heads":4097)", "the number of attention heads is 4097: expected 1 to 4096"},
        {R"("num_key_value_heads":9)", "the number of key-value heads is 9: expected 1 to 8"},
        {R"("num_key_value_heads":3)", "8 attention heads over 3 key-value heads: expected a multiple"},
        {R"("head_dim":8192)", "the head size is 8192: expected 2 to 4096"},
        {R"("head_dim":7)", "the head size is 7: expected an even number, for the rotation"},
        {R"("sliding_window":0)", "the sliding window is 0: expected 1 to 16777216"},
        {R"("max_position_embeddings":0)", "the context length is 0: expected 1 to 268435456"},
        {R"("rms_norm_eps":0)", "the norm epsilon is 0: expected a positive number"},
        {R"("rope_theta":-1)", "the global rope theta is -1: expected a positive number"},
        {R"("rope_local_base_freq":1e60)", "the local rope theta is inf: expected a positive number"},
        {R"("rope_scaling":{"type":"linear","factor":0})", "the rope scaling factor is 0: expected a positive number"},
        {R"("final_logit_softcapping":-3)", "the final soft cap is -3: expected a positive number, or none"},
        {R"("altup_num_inputs":17)", "the number of AltUp inputs is 17: expected 1 to 16"},
        {R"("altup_active_idx":4)", "the active AltUp input is 4: expected 0 to 3"},
        {R"("hidden_size_per_layer_input":0)", "the per-layer input size is 0: expected 1 to 65536"},
        {R"("vocab_size_per_layer_input":-5)", "the per-layer vocabulary is -5: expected 0 to 1073741824"},
        {R"("intermediate_size":0)", "a feed-forward width is 0: expected 1 to 16777216"},
        {R"("intermediate_size":1e300)", "a feed-forward width is 0: expected 1 to 16777216"},
        {R"("num_kv_shared_layers":35)", "the number of layers that share keys and values is 35: expected 0 to 34"},
        {R"("num_kv_shared_layers":-1)", "the number of layers that share keys and values is -1: expected 0 to 34"},
        {R"("num_kv_shared_layers":32)", "layer 4 reads the keys and values of a global layer below layer 3, and there is none"},
    };
    for (const auto& [field, sentence] : cases) EXPECT_EQ(refusal(of_text(field)), sentence);
}

TEST(ConfigJson, AHostileNumberOfLayersCostsLittle) {
    const auto c = read(of_text(R"("num_hidden_layers":4096,"hidden_size":1048576,"intermediate_size":16777216,"activation_sparsity_pattern":0.5,"hidden_size_per_layer_input":65536)"));
    ASSERT_TRUE(c) << c.error().message;
    EXPECT_EQ(c->layers.size(), 4096u);
}

}  // namespace
}  // namespace gemma3n::test
