#include "format/mix.h"

#include <gtest/gtest.h>

namespace gemma3n::format {
namespace {

DType in(Mix m, std::string_view name, int64_t cols = 2048, int64_t n_dims = 2, int64_t layers = 30, int64_t heads_per_kv = 2, bool guided = false) {
    return type_in_mix(m, name, n_dims, cols, {layers, heads_per_kv, guided});
}

TEST(Mix, NamesComeBack) {
    for (const std::string_view n : {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k_m", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m", "q6_k", "iq4_nl", "iq4_xs"}) {
        ASSERT_TRUE(mix_from_name(n));
        EXPECT_EQ(name(*mix_from_name(n)), n);
    }
    EXPECT_FALSE(mix_from_name("q4_k"));
    EXPECT_EQ(gguf_file_type(Mix::iq4_xs), 30);  // of llama_ftype
    EXPECT_EQ(gguf_file_type(Mix::q5_k_s), 16);
    EXPECT_EQ(gguf_file_type(Mix::q2_k), 10);
}

TEST(Mix, VectorsNormsAndCoefficientsStayF32) {
    for (const Mix m : {Mix::f16, Mix::bf16, Mix::q8_0, Mix::q4_0, Mix::q4_k_m}) {
        EXPECT_EQ(in(m, "layers.0.input_layernorm.weight", 2048, 1), DType::f32);
        EXPECT_EQ(in(m, "layers.0.altup.correct_output_scale", 2048, 1), DType::f32);
        EXPECT_EQ(in(m, "layers.0.altup.correction_coefs.weight", 4), DType::f32);
        EXPECT_EQ(in(m, "layers.0.altup.prediction_coefs.weight", 4), DType::f32);
    }
}

TEST(Mix, AltupLaurelAndTheProjectionOfPerLayerInputsAreNotQuantised) {
    for (const Mix m : {Mix::q8_0, Mix::q4_0, Mix::q4_k_m}) {
        for (const char* n : {"altup_projections.0.weight", "altup_unembed_projections.2.weight", "per_layer_model_projection.weight", "layers.3.laurel.linear_left.weight",
                              "layers.3.altup.modality_router.weight"})
            EXPECT_EQ(in(m, n), DType::f16) << n;
    }
}

TEST(Mix, TablesHaveTheTypeOfTheTiedHead) {
    for (const char* n : {"embed_tokens.weight", "embed_tokens_per_layer.weight"}) {
        EXPECT_EQ(in(Mix::q8_0, n), DType::q8_0);
        EXPECT_EQ(in(Mix::q4_0, n), DType::q6_k);
        EXPECT_EQ(in(Mix::q4_k_m, n), DType::q6_k);
        EXPECT_EQ(in(Mix::bf16, n), DType::bf16);
    }
}

TEST(Mix, AnImportanceMatrixChangesTheEarlyDownProjections) {
    const auto guided = [](Mix m, const char* name) { return in(m, name, 2048, 2, 35, 2, true); };
    for (const char* early : {"layers.0.mlp.down_proj.weight", "layers.3.mlp.down_proj.weight"}) {
        EXPECT_EQ(guided(Mix::q4_0, early), DType::q4_1);
        EXPECT_EQ(guided(Mix::q5_0, early), DType::q5_1);
        EXPECT_EQ(guided(Mix::iq4_nl, early), DType::iq4_nl);
        EXPECT_EQ(guided(Mix::iq4_xs, early), DType::iq4_xs);
        EXPECT_EQ(guided(Mix::q4_k_m, early), DType::q6_k);
        EXPECT_EQ(in(Mix::iq4_xs, early, 2048, 2, 35), DType::q5_k);
    }
    EXPECT_EQ(guided(Mix::q4_0, "layers.4.mlp.down_proj.weight"), DType::q4_0);
    EXPECT_EQ(guided(Mix::q4_0, "layers.0.mlp.up_proj.weight"), DType::q4_0);
}

TEST(Mix, Q4kmGivesMoreBitsToValuesAndDownProjectionsOfSomeLayers) {
    const auto six = [](const std::string& tensor, int64_t layers) {
        std::string list;
        for (int64_t l = 0; l < layers; l++)
            if (in(Mix::q4_k_m, "layers." + std::to_string(l) + "." + tensor, 2048, 2, layers) == DType::q6_k) list += std::to_string(l) + " ";
        return list;
    };
    for (const char* t : {"self_attn.v_proj.weight", "mlp.down_proj.weight"}) {
        EXPECT_EQ(six(t, 30), "0 1 2 5 8 11 14 17 20 23 26 27 28 29 ");  // ends: below 30/8, from 7*30/8
        EXPECT_EQ(six(t, 35), "0 1 2 3 6 9 12 15 18 21 24 27 30 31 32 33 34 ");
    }
    EXPECT_EQ(six("self_attn.k_proj.weight", 30), "");
    EXPECT_EQ(six("mlp.up_proj.weight", 30), "");
}

// Letters by layer, of llama.cpp's choices for 35 layers with `heads_per_kv` heads to a key/value head.
std::string row(Mix m, const std::string& tensor, int64_t heads_per_kv) {
    std::string s;
    for (int64_t l = 0; l < 35; l++) {
        switch (in(m, "layers." + std::to_string(l) + "." + tensor, 2048, 2, 35, heads_per_kv)) {
            case DType::q2_k: s += '2'; break;
            case DType::q3_k: s += '3'; break;
            case DType::q4_k: s += '4'; break;
            case DType::q5_k: s += '5'; break;
            case DType::q6_k: s += '6'; break;
            case DType::iq4_nl: s += 'n'; break;
            case DType::iq4_xs: s += 'x'; break;
            default: s += '?';
        }
    }
    return s;
}

TEST(Mix, ValuesDownProjectionsAndOutputsHaveTypesOfTheirOwn) {
    const std::string v = "self_attn.v_proj.weight", down = "mlp.down_proj.weight", out = "self_attn.o_proj.weight", up = "mlp.up_proj.weight";
    const auto all = [](char c) { return std::string(35, c); };
    const auto first = [](int n, char c, char others) { return std::string(static_cast<size_t>(n), c) + std::string(static_cast<size_t>(35 - n), others); };
    struct Case {
        Mix mix;
        std::string v2, v4, down, out, up;  // v2, v4: two and four heads to a key/value head
    };
    for (const Case& c : {Case{Mix::q2_k, all('3'), all('4'), all('3'), all('3'), all('2')}, Case{Mix::q3_k_m, first(2, '5', '4'), first(2, '5', '4'), first(2, '5', '4'), all('4'), all('3')},
                          Case{Mix::q4_k_s, first(4, '5', '4'), first(4, '5', '4'), first(4, '5', '4'), all('4'), all('4')}, Case{Mix::q5_k_s, all('5'), all('5'), all('5'), all('5'), all('5')},
                          Case{Mix::iq4_nl, all('n'), all('5'), first(4, '5', 'n'), all('n'), all('n')}, Case{Mix::iq4_xs, all('x'), all('5'), first(4, '5', 'x'), all('x'), all('x')}}) {
        EXPECT_EQ(row(c.mix, v, 2), c.v2) << name(c.mix);
        EXPECT_EQ(row(c.mix, v, 4), c.v4) << name(c.mix);
        EXPECT_EQ(row(c.mix, down, 4), c.down) << name(c.mix);
        EXPECT_EQ(row(c.mix, out, 4), c.out) << name(c.mix);
        EXPECT_EQ(row(c.mix, up, 4), c.up) << name(c.mix);
    }
    for (const std::string& tensor : {v, down}) EXPECT_EQ(row(Mix::q5_k_m, tensor, 4), "66665565565565565565565565565566666") << tensor;
}

TEST(Mix, RowsThatBlocksDoNotDivideFallBack) {
    EXPECT_EQ(in(Mix::q4_k_m, "layers.9.mlp.up_proj.weight", 640), DType::q5_0);
    EXPECT_EQ(in(Mix::q4_k_m, "layers.0.mlp.down_proj.weight", 640), DType::q8_0);
    EXPECT_EQ(in(Mix::q4_0, "embed_tokens.weight", 640), DType::q8_0);
    EXPECT_EQ(in(Mix::q2_k, "layers.9.mlp.up_proj.weight", 640), DType::q4_0);
    EXPECT_EQ(in(Mix::q3_k_m, "layers.9.mlp.up_proj.weight", 640), DType::q4_0);
    EXPECT_EQ(in(Mix::q5_k_s, "layers.9.mlp.up_proj.weight", 640), DType::q5_1);
    EXPECT_EQ(in(Mix::iq4_xs, "layers.9.mlp.up_proj.weight", 640), DType::iq4_nl);
    for (const Mix m : {Mix::q8_0, Mix::q4_0, Mix::q4_k_m}) EXPECT_EQ(in(m, "layers.9.mlp.up_proj.weight", 40), DType::f16);
}

}  // namespace
}  // namespace gemma3n::format
