#include "format/mix.h"

#include <gtest/gtest.h>

namespace gemma3n::format {
namespace {

DType in(Mix m, std::string_view name, int64_t cols = 2048, int64_t n_dims = 2, int64_t layers = 30, int64_t heads_per_kv = 2) {
    return type_in_mix(m, name, n_dims, cols, {layers, heads_per_kv});
}

TEST(Mix, NamesComeBack) {
    for (const std::string_view n : {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m"}) {
        ASSERT_TRUE(mix_from_name(n));
        EXPECT_EQ(name(*mix_from_name(n)), n);
    }
    EXPECT_FALSE(mix_from_name("q4_k"));
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

TEST(Mix, RowsThatBlocksDoNotDivideFallBack) {
    EXPECT_EQ(in(Mix::q4_k_m, "layers.9.mlp.up_proj.weight", 640), DType::q5_0);
    EXPECT_EQ(in(Mix::q4_k_m, "layers.0.mlp.down_proj.weight", 640), DType::q8_0);
    EXPECT_EQ(in(Mix::q4_0, "embed_tokens.weight", 640), DType::q8_0);
    for (const Mix m : {Mix::q8_0, Mix::q4_0, Mix::q4_k_m}) EXPECT_EQ(in(m, "layers.9.mlp.up_proj.weight", 40), DType::f16);
}

}  // namespace
}  // namespace gemma3n::format
