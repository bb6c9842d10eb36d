// The tensor lists of the published sizes, against what is known of the published files; nothing is written.
#include "format/names.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace gemma3n::synth {
namespace {

using format::Container;
using format::Mix;

bool is_table(const Tensor& t) { return t.name.starts_with("embed_tokens"); }

int64_t core_parameters(const Shape& s, Container c) {
    int64_t n = 0;
    for (const Tensor& t : tensors(s, c))
        if (!is_table(t)) n += t.n_values();
    return n;
}

std::vector<int64_t> shape_of(const Shape& s, Container c, const std::string& name) {
    for (const Tensor& t : tensors(s, c))
        if (t.name == name) return t.shape;
    return {};
}

using Dims = std::vector<int64_t>;

TEST(Tensors, TextCoresHaveThePublishedNumberOfParameters) {
    for (const Container c : {Container::gguf, Container::safetensors}) {
        EXPECT_EQ(core_parameters(*find_shape("e2b"), c), 1'905'495'648);
        EXPECT_EQ(core_parameters(*find_shape("e4b"), c), 3'980'491'248);
    }
}

TEST(Tensors, FilesHaveThePublishedNumberOfTensors) {
    EXPECT_EQ(gguf_tensors(*find_shape("e2b"), Mix::q4_0).size(), 727u);
    EXPECT_EQ(gguf_tensors(*find_shape("e4b"), Mix::q4_0).size(), 847u);
    EXPECT_EQ(tensors(*find_shape("e2b"), Container::safetensors).size(), 731u);
    EXPECT_EQ(tensors(*find_shape("e4b"), Container::safetensors).size(), 851u);
    EXPECT_EQ(gguf_tensors(*find_shape("gemma3-4b"), Mix::q4_0).size(), 2u + 34 * 13);
}

TEST(Tensors, TablesHaveThePublishedRows) {
    const Shape &e2b = *find_shape("e2b"), &e4b = *find_shape("e4b");
    EXPECT_EQ(shape_of(e2b, Container::safetensors, "embed_tokens.weight"), (Dims{262400, 2048}));
    EXPECT_EQ(shape_of(e2b, Container::gguf, "embed_tokens.weight"), (Dims{262144, 2048}));
    for (const Container c : {Container::gguf, Container::safetensors}) {
        EXPECT_EQ(shape_of(e2b, c, "embed_tokens_per_layer.weight"), (Dims{262144, 7680}));
        EXPECT_EQ(shape_of(e4b, c, "embed_tokens_per_layer.weight"), (Dims{262144, 8960}));
    }
}

TEST(Tensors, ShapesOfALayerAreThePublishedOnes) {
    const std::map<std::string, Dims> expected = {
        {"input_layernorm.weight", {2048}}, {"post_attention_layernorm.weight", {2048}}, {"pre_feedforward_layernorm.weight", {2048}},
        {"post_feedforward_layernorm.weight", {2048}}, {"post_per_layer_input_norm.weight", {2048}},
        {"self_attn.q_proj.weight", {2048, 2048}}, {"self_attn.k_proj.weight", {512, 2048}}, {"self_attn.v_proj.weight", {512, 2048}},
        {"self_attn.o_proj.weight", {2048, 2048}}, {"self_attn.q_norm.weight", {256}}, {"self_attn.k_norm.weight", {256}},
        {"mlp.gate_proj.weight", {16384, 2048}}, {"mlp.up_proj.weight", {16384, 2048}}, {"mlp.down_proj.weight", {2048, 16384}},
        {"per_layer_input_gate.weight", {256, 2048}}, {"per_layer_projection.weight", {2048, 256}},
        {"altup.correct_output_scale", {2048}}, {"altup.correction_coefs.weight", {4, 4}}, {"altup.prediction_coefs.weight", {16, 4}},
        {"altup.modality_router.weight", {4, 2048}}, {"altup.router_norm.weight", {2048}},
        {"laurel.linear_left.weight", {64, 2048}}, {"laurel.linear_right.weight", {2048, 64}}, {"laurel.post_laurel_norm.weight", {2048}},
    };
    std::map<std::string, Dims> found;
    const std::string at = "layers.34.";
    for (const Tensor& t : tensors(*find_shape("e4b"), Container::safetensors))
        if (t.name.starts_with(at)) found[t.name.substr(at.size())] = t.shape;
    EXPECT_EQ(found, expected);
}

TEST(Tensors, EveryGgufNameTranslatesBack) {
    for (const char* size : {"e2b", "gemma3-4b", "tiny"}) {
        std::set<std::string> names;
        for (const GgufTensor& t : gguf_tensors(*find_shape(size), Mix::q4_k_m)) {
            EXPECT_TRUE(names.insert(t.name).second) << t.name;
            const auto canonical = format::canonical_from_gguf(t.name);
            ASSERT_TRUE(canonical) << t.name;
            if (t.parts.size() == 1) EXPECT_EQ(*canonical, t.parts[0].name);
            else EXPECT_EQ(t.shape, (Dims{3, t.parts[0].shape[0], t.parts[0].shape[1]})) << t.name;
        }
    }
    EXPECT_FALSE(format::gguf_from_canonical("layers.x.mlp.up_proj.weight"));
    EXPECT_FALSE(format::gguf_from_canonical("altup_projections..weight"));
    EXPECT_FALSE(format::gguf_from_canonical("embed_audio.embedding.weight"));
}

TEST(Tensors, E2bFilesHaveTheExpectedSizeAndTypes) {
    std::map<std::string_view, int> types;
    uint64_t bytes = 0;
    for (const GgufTensor& t : gguf_tensors(*find_shape("e2b"), Mix::q4_0)) {
        types[info(t.type).name]++;
        for (const Tensor& p : t.parts) bytes += row_bytes(t.type, p.n_values());
    }
    EXPECT_EQ(types, (std::map<std::string_view, int>{{"f32", 12 * 30 + 2}, {"f16", 3 * 30 + 3}, {"q4_0", 9 * 30}, {"q6_k", 2}}));
    EXPECT_NEAR(static_cast<double>(bytes), 3.236e9, 0.01e9);
}

}  // namespace
}  // namespace gemma3n::synth
