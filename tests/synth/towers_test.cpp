// The towers' tensors against what is known of the published files, and what a synthesised tower says about itself.
#include "synth/towers.h"

#include "format/projector_tensor.h"
#include "format/tower_names.h"
#include "model/checkpoint_dir.h"
#include "model/media/config.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

namespace gemma3n::synth {
namespace {

using format::Mix;

struct Counted {
    int64_t tensors = 0, parameters = 0;
    bool operator==(const Counted&) const = default;
};

Counted of(const Shape& s, std::string_view part) {
    Counted n;
    for (const Tensor& t : tower_tensors(s))
        if (t.name.starts_with(part)) n.tensors++, n.parameters += t.n_values();
    return n;
}

TEST(Towers, HaveThePublishedNumbersOfTensorsAndParameters) {
    for (const char* size : {"e2b", "e4b"}) {
        const Shape& s = *find_shape(size);
        EXPECT_EQ(of(s, "vision_tower."), (Counted{548, 294'126'912}));
        EXPECT_EQ(of(s, "audio_tower."), (Counted{269, 681'348'640}));
        EXPECT_EQ(of(s, "embed_vision."), (Counted{4, 4'460'544}));
        EXPECT_EQ(of(s, "embed_audio."), (Counted{4, 3'345'408}));
    }
    EXPECT_TRUE(tower_tensors(*find_shape("gemma3-4b")).empty());
}

TEST(Towers, AProjectorFileHasThePublishedTypesAndBytes) {
    std::map<std::string_view, int> types;
    uint64_t bytes = 0;
    for (const GgufTensor& t : projector_tensors(*find_shape("e4b"), Mix::f16)) {
        types[info(t.type).name]++;
        bytes += row_bytes(t.type, t.parts[0].n_values());
        EXPECT_EQ(format::canonical_from_projector(t.name), t.parts[0].name);
    }
    EXPECT_EQ(types, (std::map<std::string_view, int>{{"f16", 418}, {"f32", 407}}));
    EXPECT_NEAR(static_cast<double>(bytes), 1'967'809'568.0, 2e5) << "the published file, its header included";
}

TEST(Towers, QuantisedMatricesHaveTwoDimensions) {
    const auto is = [](Mix mix, const char* name, std::vector<int64_t> shape, DType type, std::vector<int64_t> stored) {
        const format::ProjectorTensor t = format::in_projector(mix, name, shape);
        EXPECT_EQ(t.type, type) << name;
        EXPECT_EQ(t.shape, stored) << name;
    };
    const char* expand = "vision_tower.timm_model.blocks.1.1.pw_exp.conv.weight";
    is(Mix::q8_0, expand, {128, 32, 1, 1}, DType::q8_0, {128, 32});
    is(Mix::f16, expand, {128, 32}, DType::f16, {128, 32, 1, 1});  // from a quantised file: as a converter writes it
    is(Mix::q8_0, expand, {128, 24, 1, 1}, DType::f16, {128, 24, 1, 1});
    is(Mix::q4_k_m, expand, {128, 32, 1, 1}, DType::q5_0, {128, 32});
    is(Mix::q8_0, "vision_tower.timm_model.blocks.1.1.dw_start.conv.weight", {32, 1, 5, 5}, DType::f16, {32, 1, 5, 5});
    is(Mix::q8_0, "vision_tower.timm_model.blocks.0.0.conv_exp.weight", {64, 32, 3, 3}, DType::f16, {64, 32, 3, 3});
    is(Mix::bf16, "vision_tower.timm_model.conv_stem.conv.weight", {16, 3, 3, 3}, DType::f32, {16, 3, 3, 3});
    is(Mix::bf16, "vision_tower.timm_model.blocks.1.1.layer_scale.gamma", {32}, DType::f32, {1, 32, 1, 1});
    is(Mix::bf16, "vision_tower.timm_model.blocks.1.1.layer_scale.gamma", {1, 32, 1, 1}, DType::f32, {1, 32, 1, 1});
    is(Mix::q4_0, "audio_tower.conformer.0.ffw_layer_start.ffw_layer_1.weight", {512, 128}, DType::q4_0, {512, 128});
    is(Mix::q4_0, "audio_tower.conformer.0.lconv1d.depthwise_conv1d.weight", {128, 1, 5}, DType::f32, {128, 1, 5});
    is(Mix::q4_0, "embed_audio.embedding.weight", {16, 128}, DType::f16, {16, 128});
}

class SynthTowers : public testing::Test {
protected:
    std::shared_ptr<format::Checkpoint> open(const std::string& path) {
        auto c = format::Checkpoint::open(path);
        EXPECT_TRUE(c) << c.error().message;
        return c ? *c : nullptr;
    }
    test::CheckpointDir dir_;
    const Shape& tiny_ = *find_shape("tiny");
};

TEST_F(SynthTowers, BothContainersHoldTheSameTowersAndNumbers) {
    Options o;
    o.towers = true;
    const std::string at = dir_.path() + "/";
    ASSERT_TRUE(write_gguf(tiny_, Mix::f32, at + "m.gguf", o));
    ASSERT_TRUE(write_hf(tiny_, Mix::f32, at + "hf", o));
    const auto text = open(at + "m.gguf"), projector = open(at + "mmproj-m.gguf"), hf = open(at + "hf");
    ASSERT_TRUE(text && projector && hf);
    for (const Tensor& t : tower_tensors(tiny_)) {
        const format::TensorInfo *a = projector->find(t.name), *b = hf->find(t.name);
        ASSERT_TRUE(a && b) << t.name;
        ASSERT_EQ(a->bytes, b->bytes) << t.name;
        EXPECT_EQ(memcmp(projector->view(*a).raw(0), hf->view(*b).raw(0), a->bytes), 0) << t.name;
    }
    const auto text_config = model::read_config(*text);
    ASSERT_TRUE(text_config);
    for (const auto& c : {projector, hf}) {
        SCOPED_TRACE(c->path());
        const auto m = model::read_media_config(*c, *text_config);
        ASSERT_TRUE(m) << m.error().message;
        EXPECT_TRUE(m->has_vision && m->has_audio);
        EXPECT_EQ(m->vision.side, 256);
        EXPECT_EQ(m->vision.n_tokens, 256);
        EXPECT_EQ(m->vision.vocab_offset, 448);
        EXPECT_EQ(m->vision.vocab, 16);
        EXPECT_EQ(m->audio.n_heads, 4);
        EXPECT_EQ(m->audio.vocab_offset, 464);
        EXPECT_EQ(m->audio.vocab, 16);
        EXPECT_EQ(m->audio.gradient_clipping, 1e10f);
        EXPECT_EQ(m->ids.begin_image, 442);
        EXPECT_EQ(m->ids.image, 449);
        EXPECT_EQ(m->ids.end_audio, 464);
    }
}

TEST_F(SynthTowers, EveryTypeOpens) {
    Options o;
    o.towers = true;
    for (const Mix mix : {Mix::f32, Mix::f16, Mix::bf16, Mix::q8_0, Mix::q4_0, Mix::q4_k_m}) {
        const std::string name(format::name(mix));
        ASSERT_TRUE(write_gguf(tiny_, mix, dir_.path() + "/" + name + ".gguf", o));
        const auto c = open(dir_.path() + "/mmproj-" + name + ".gguf");
        ASSERT_TRUE(c);
        EXPECT_EQ(c->tensors().size(), tower_tensors(tiny_).size());
        for (const Tensor& t : tower_tensors(tiny_)) EXPECT_TRUE(c->find(t.name)) << t.name;
    }
}

TEST_F(SynthTowers, ANetworkWithoutTowersSaysSo) {
    Options o;
    o.towers = true;
    const std::string at = dir_.path() + "/x";
    for (const Status& s : {write_gguf(*find_shape("gemma3-4b"), Mix::q4_0, at, o), write_hf(*find_shape("gemma3-4b"), Mix::f16, at, o)}) {
        ASSERT_FALSE(s);
        EXPECT_EQ(s.error().message, at + ": a network of size gemma3-4b has no towers");
    }
    EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

}  // namespace
}  // namespace gemma3n::synth
