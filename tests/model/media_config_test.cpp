// The towers' numbers from config.json and from a projector file's keys: published values where a file says nothing, and refusals.
#include "model/media/config.h"

#include "base/temporary_file.h"
#include "format/gguf_builder.h"
#include "model/checkpoint_dir.h"

#include <gtest/gtest.h>

#include <fstream>

namespace gemma3n::test {
namespace {

using model::MediaConfig;

constexpr model::Config no_text{};

const std::vector<PlainTensor> towers = {{"model.vision_tower.timm_model.conv_stem.bn.weight", {2}, {1, 1}},
                                         {"model.audio_tower.conformer.0.norm.weight", {2}, {1, 1}},
                                         {"model.embed_vision.embedding.weight", {128, 1}, std::vector<float>(128)},
                                         {"model.embed_audio.embedding.weight", {128, 1}, std::vector<float>(128)}};

Result<MediaConfig> from_json(const std::string& json, const std::string& processor = "", const std::vector<PlainTensor>& tensors = towers) {
    const CheckpointDir dir;
    dir.write(json, tensors);
    if (!processor.empty()) std::ofstream(dir.path() + "/preprocessor_config.json") << processor;
    const auto c = format::Checkpoint::open(dir.path());
    if (!c) return c.error();
    return read_media_config(**c, no_text);
}

template <class F>
Result<MediaConfig> from_keys(F&& change) {
    GgufBuilder b;
    b.string("general.architecture", "clip").string("clip.vision.projector_type", "gemma3nv").string("clip.audio.projector_type", "gemma3na");
    change(b);
    b.tensor("v.conv_stem.bn.weight", {2}, 0, std::string(8, '\0')).tensor("mm.a.embedding.weight", {2, 32}, 0, std::string(256, '\0'));
    const TemporaryFile f(b.build());
    const auto c = format::Checkpoint::open(f.path());
    if (!c) return c.error();
    return read_media_config(**c, no_text);
}

std::string sentence(const Result<MediaConfig>& m) {
    if (m) return "(accepted)";
    const std::string& s = m.error().message;
    return s.substr(s.find(": ") + 2);
}

void expect_published(const MediaConfig& m) {
    EXPECT_EQ(m.vision.side, 768);
    EXPECT_EQ(m.vision.n_tokens, 256);
    EXPECT_EQ(m.vision.vocab_offset, 262144);
    EXPECT_EQ(m.vision.eps, 1e-6f);
    EXPECT_EQ(m.audio.n_tokens, 188);
    EXPECT_EQ(m.audio.n_heads, 8);
    EXPECT_EQ(m.audio.context_left, 13);
    EXPECT_EQ(m.audio.logit_cap, 50);
    EXPECT_EQ(m.audio.eps, 1e-6f);
    EXPECT_EQ(m.audio.vocab_offset, 262272);
    EXPECT_EQ(m.ids.begin_image, 255999);
    EXPECT_EQ(m.ids.audio, 262273);
}

TEST(MediaConfig, WhatAFileDoesNotSayIsAsPublished) {
    const auto json = from_json("{}");
    ASSERT_TRUE(json) << json.error().message;
    expect_published(*json);
    EXPECT_TRUE(json->has_vision && json->has_audio);
    // a stock file: its epsilon of audio is not the model's
    const auto keys = from_keys([](GgufBuilder& b) { b.u32("clip.vision.image_size", 768).u32("clip.audio.attention.head_count", 8).f32("clip.audio.attention.layer_norm_epsilon", 1e-5f); });
    ASSERT_TRUE(keys) << keys.error().message;
    expect_published(*keys);
    EXPECT_TRUE(keys->has_vision);
    EXPECT_FALSE(keys->has_audio);
    EXPECT_EQ(keys->audio.vocab, 32) << "the rows of its table";
}

TEST(MediaConfig, ReadsEveryNumberOfConfigJson) {
    const auto m = from_json(R"({"vision_soft_tokens_per_image":64,"audio_soft_tokens_per_image":32,"boi_token_id":10,"eoi_token_id":100,"image_token_id":101,
        "boa_token_id":11,"eoa_token_id":120,"audio_token_id":121,"vision_config":{"architecture":"mobilenetv5_300m","vocab_offset":100,"vocab_size":20,"rms_norm_eps":2e-6},
        "audio_config":{"conf_reduction_factor":2,"conf_num_attention_heads":4,"conf_attention_chunk_size":6,"conf_attention_context_left":7,"conf_attention_logit_cap":20.0,
        "conf_residual_weight":0.25,"rms_norm_eps":3e-6,"sscp_conv_group_norm_eps":0.002,"gradient_clipping":1e9,"vocab_offset":120,"vocab_size":8,
        "sscp_conv_kernel_size":[[3,3],[3,3]],"sscp_conv_stride_size":[[2,2],[2,2]]}})",
                             R"({"do_normalize":false,"size":{"height":128,"width":128},"feature_size":128,"rescale_factor":0.00392156862745098})");
    ASSERT_TRUE(m) << m.error().message;
    EXPECT_EQ(m->vision.n_tokens, 64);
    EXPECT_EQ(m->vision.side, 128);
    EXPECT_EQ(m->vision.vocab_offset, 100);
    EXPECT_EQ(m->vision.vocab, 20);
    EXPECT_EQ(m->vision.eps, 2e-6f);
    EXPECT_EQ(m->audio.n_tokens, 32);
    EXPECT_EQ(m->audio.reduction, 2);
    EXPECT_EQ(m->audio.n_heads, 4);
    EXPECT_EQ(m->audio.chunk, 6);
    EXPECT_EQ(m->audio.context_left, 7);
    EXPECT_EQ(m->audio.logit_cap, 20);
    EXPECT_EQ(m->audio.residual_weight, 0.25f);
    EXPECT_EQ(m->audio.eps, 3e-6f);
    EXPECT_EQ(m->audio.group_norm_eps, 2e-3f);
    EXPECT_EQ(m->audio.gradient_clipping, 1e9f);
    EXPECT_EQ(m->audio.vocab_offset, 120);
    EXPECT_EQ(m->audio.vocab, 8);
    EXPECT_EQ(m->ids.begin_image, 10);
    EXPECT_EQ(m->ids.end_image, 100);
    EXPECT_EQ(m->ids.image, 101);
    EXPECT_EQ(m->ids.begin_audio, 11);
    EXPECT_EQ(m->ids.end_audio, 120);
    EXPECT_EQ(m->ids.audio, 121);
}

TEST(MediaConfig, TheNewFormOfTheProcessorsFile) {
    const auto m = from_json("{}", R"({"image_processor":{"size":{"height":512,"width":512}},"feature_extractor":{"sampling_rate":16000}})");
    ASSERT_TRUE(m) << m.error().message;
    EXPECT_EQ(m->vision.side, 512);
    EXPECT_EQ(sentence(from_json("{}", R"({"feature_extractor":{"hop_length":128}})")), "feature_extractor: 'hop_length' has another value than the published 160");
}

TEST(MediaConfig, OneSentenceForWhatIsNotBuilt) {
    const std::pair<std::string, std::string> json[] = {
        {R"({"vision_soft_tokens_per_image":255})", "a picture has 255 soft tokens: expected a square number, as 256"},
        {R"({"vision_soft_tokens_per_image":-1})", "the number of soft tokens of a picture is -1: expected 1 to 65536"},
        {R"({"audio_soft_tokens_per_image":9e12})", "the number of soft tokens of a clip is"},
        {R"({"vision_config":{"architecture":"siglip"}})", "vision_config: 'architecture' is 'siglip': expected mobilenetv5_300m_enc"},
        {R"({"vision_config":{"do_pooling":true}})", "vision_config: 'do_pooling' has another value than the published false"},
        {R"({"vision_config":{"rms_norm_eps":0}})", "the norm epsilon of vision is 0: expected a positive number"},
        {R"({"vision_config":{"vocab_size":200,"vocab_offset":0}})", "has 128 rows: expected 200, one for every mark of vision"},
        {R"({"vision_config":{"vocab_offset":262200}})", "the marks of vision are ids 262200 to 262327 and those of audio begin at 262272: expected audio's after vision's"},
        {R"({"audio_config":{"input_feat_size":80}})", "audio_config: 'input_feat_size' has another value than the published 128"},
        {R"({"audio_config":{"sscp_conv_stride_size":[[2,2],[1,2]]}})", "audio_config: 'sscp_conv_stride_size' has another value than the published 2 x 2"},
        {R"({"audio_config":{"conf_attention_context_right":1}})", "the right context of audio attention is 1: expected 0, frames that see no later ones"},
        {R"({"audio_config":{"conf_attention_context_left":0}})", "the left context of audio attention is 0: expected 1 to 65536"},
        {R"({"audio_config":{"conf_reduction_factor":0}})", "the reduction of audio frames is 0: expected 1 to 64"},
        {R"({"audio_config":{"conf_num_attention_heads":"eight"}})", "audio_config: 'conf_num_attention_heads' is not a whole number"},
        {R"({"audio_config":{"conf_attention_logit_cap":-1}})", "the cap of audio attention scores is -1: expected a positive number"},
        {R"({"image_token_id":262273})", "image and audio tokens have the same id, 262273: expected two"},
        {R"({"eoa_token_id":-3})", "'eoa_token_id' is -3: expected a token id"},
    };
    for (const auto& [config, says] : json) EXPECT_NE(sentence(from_json(config)).find(says), std::string::npos) << sentence(from_json(config)) << "\n" << says;
    const std::pair<std::string, std::string> processor[] = {
        {R"({"do_normalize":true})", "'do_normalize' has another value than the published false"},
        {R"({"rescale_factor":0.5})", "'rescale_factor' has another value than the published 1/255"},
        {R"({"size":{"height":768,"width":512}})", "size: 768 x 512: expected a square"},
        {R"({"size":{"height":1e9,"width":1e9}})", "the side of a picture is 1000000000: expected 32 to 4096"},
        {R"({"per_bin_mean":[1.0]})", "'per_bin_mean' has another value than the published null"},
        {R"(nonsense)", "is not valid JSON"},
    };
    for (const auto& [file, says] : processor) EXPECT_NE(sentence(from_json("{}", file)).find(says), std::string::npos) << sentence(from_json("{}", file)) << "\n" << says;
    const auto key = [](const char* name, uint32_t v) { return sentence(from_keys([&](GgufBuilder& b) { b.u32(name, v); })); };
    EXPECT_EQ(key("gemma3n.vision.soft_tokens", 2), "a picture has 2 soft tokens: expected a square number, as 256");
    EXPECT_EQ(key("gemma3n.audio.attention.context_left", 1u << 31), "the left context of audio attention is 2147483648: expected 1 to 65536");
    EXPECT_EQ(key("gemma3n.token.image", 1u << 31), "metadata key 'gemma3n.token.image' is 2147483648: expected a token id");
    EXPECT_EQ(sentence(from_keys([](GgufBuilder& b) { b.string("gemma3n.audio.residual_weight", "half"); })), "metadata key 'gemma3n.audio.residual_weight' is not a number");
}

TEST(MediaConfig, ConvolutionsOfChannelsLastAreRefused) {
    for (const auto& [name, shape] : {std::pair{"vision_tower.timm_model.blocks.1.0.dw_mid.conv.weight", std::vector<int64_t>{4, 5, 5, 1}},
                                      {"audio_tower.conformer.0.lconv1d.depthwise_conv1d.weight", {4, 5, 1}}}) {
        auto tensors = towers;
        tensors.push_back({name, shape, std::vector<float>(100)});
        tensors.back().values.resize(shape.size() == 4 ? 100 : 20);
        EXPECT_EQ(sentence(from_json("{}", "", tensors)),
                  std::string("tensor '") + name + "' is stored channels last, as MLX writes convolutions: expected Hugging Face's order, output, input, height, width");
    }
}

TEST(MediaConfig, AProjectorIsNoTextModel) {
    GgufBuilder b;
    b.string("general.architecture", "clip");
    const TemporaryFile f(b.build());
    const auto c = format::Checkpoint::open(f.path());
    ASSERT_TRUE(c);
    const auto text = model::read_config(**c);
    ASSERT_FALSE(text);
    EXPECT_NE(text.error().message.find("is a projector file, which holds vision and audio towers and no text model"), std::string::npos) << text.error().message;
}

}  // namespace
}  // namespace gemma3n::test
