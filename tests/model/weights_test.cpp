// Binding tensors to a config: both containers give the same views; a tensor that is missing, misshapen or of integers is named;
// classes of tensors by how they live in memory.
#include "model/weights.h"

#include "base/limited_memory.h"
#include "base/temporary_file.h"
#include "model/residency.h"
#include "model/tiny_model.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

using model::TensorClass;

struct Loaded {
    std::shared_ptr<format::Checkpoint> checkpoint;
    model::Config config;
    std::shared_ptr<model::Weights> weights;
};

Result<Loaded> load(const std::string& path) {
    Loaded out;
    ASSIGN(out.checkpoint, format::Checkpoint::open(path));
    ASSIGN(out.config, model::read_config(*out.checkpoint));
    ASSIGN(out.weights, model::bind_weights(*out.checkpoint, out.config));
    return out;
}

// The tiny GGUF without `name`, and with what `change` adds.
template <class F>
Result<Loaded> with(const std::string& name, F&& change) {
    GgufBuilder b;
    TinyModel::metadata(b);
    TinyModel::weights(b, [&](const std::string& n) { return n == name; });
    change(b);
    const TemporaryFile f(b.build());
    return load(f.path());
}
template <class F>
std::string refusal(const std::string& name, F&& change) {
    const auto c = with(name, change);
    if (c) return "(accepted)";
    EXPECT_EQ(c.error().code, Code::bad_file);
    return c.error().message.substr(c.error().message.find(": ") + 2);
}
const auto nothing = [](GgufBuilder&) {};

TEST(Weights, BothContainersBindTheSameValues) {
    const CheckpointDir dir;
    TinyModel::write(dir, DType::f32, 2);
    const auto a = load(dir.path()), b = with("", nothing);
    ASSERT_TRUE(a) << a.error().message;
    ASSERT_TRUE(b) << b.error().message;
    EXPECT_EQ(a->config.laurel_rank, 2);
    EXPECT_EQ(b->config.laurel_rank, 2);
    EXPECT_EQ(b->config.per_layer_vocab, 288);
    EXPECT_EQ(a->weights->lm_head.buffer, a->weights->embed_tokens.buffer);
    for (int l = 0; l < 4; l++) {
        const auto &x = a->weights->layers[l], &y = b->weights->layers[l];
        for (int i = 0; i < 8; i++) {
            EXPECT_EQ(x.mlp.gate_proj.f32(i)[7], y.mlp.gate_proj.f32(i)[7]);
            EXPECT_EQ(x.laurel_right.f32(i)[1], y.laurel_right.f32(i)[1]);
            EXPECT_EQ(x.router_norm.f32()[i], y.router_norm.f32()[i]);
        }
        EXPECT_EQ(x.prediction_coefs.n_rows, 4);
        EXPECT_EQ(x.prediction_coefs.f32(3)[1], y.prediction_coefs.f32(3)[1]);
        EXPECT_EQ(static_cast<bool>(x.self_attn.k_proj), l < 2) << "upper layers read a donor's cache";
    }
    EXPECT_EQ(a->weights->altup_unembed_projections[0].f32(7)[7], b->weights->altup_unembed_projections[0].f32(7)[7]);
}

TEST(Weights, EveryTensorIsMissedByItsName) {
    for (const auto& t : TinyModel::tensors()) {
        const bool dead = t.hf.find("k_proj") != std::string::npos || t.hf.find("v_proj") != std::string::npos || t.hf.find("k_norm") != std::string::npos;
        if (dead && (t.hf.starts_with("layers.2.") || t.hf.starts_with("layers.3."))) {
            EXPECT_EQ(refusal(t.gguf, nothing), "(accepted)") << t.hf;
        } else {
            EXPECT_EQ(refusal(t.gguf, nothing), "tensor '" + t.hf + "' is missing");
        }
    }
    EXPECT_EQ(refusal("altup_proj.weight", nothing), "tensor 'altup_projections.0.weight' is missing");
}

TEST(Weights, EveryTensorIsMeasured) {
    for (const auto& t : TinyModel::tensors()) {
        if (t.hf.starts_with("layers.") && !t.hf.starts_with("layers.1.")) continue;
        std::vector<uint64_t> dims(t.shape.rbegin(), t.shape.rend());
        dims[0]++;  // one column too many
        uint64_t n = 1;
        for (const uint64_t d : dims) n *= d;
        const std::string sentence = refusal(t.gguf, [&](GgufBuilder& b) { b.tensor(t.gguf, dims, 0, std::string(n * 4, '\0')); });
        const std::string rows = std::to_string(t.shape.size() > 1 ? t.shape[0] : 1), cols = std::to_string(t.shape.back());
        EXPECT_EQ(sentence, "tensor '" + t.gguf + "' has shape " + rows + " x " + std::to_string(dims[0]) + ": expected " + rows + " x " + cols);
    }
    EXPECT_EQ(refusal("output_norm.weight", [](GgufBuilder& b) { b.tensor("output_norm.weight", {1, 8}, 0, std::string(32, '\0')); }), "(accepted)")
        << "a vector that stands upright";
}

TEST(Weights, EveryTensorOfIntegersIsRefused) {
    for (const auto& t : TinyModel::tensors()) {
        if (t.hf.starts_with("layers.") && !t.hf.starts_with("layers.0.")) continue;
        std::vector<uint64_t> dims(t.shape.rbegin(), t.shape.rend());
        const auto as_integers = [&](GgufBuilder& b) { b.tensor(t.gguf, dims, 26, std::string(t.values().size() * 4, '\0')); };
        EXPECT_EQ(refusal(t.gguf, as_integers), "tensor '" + t.gguf + "' holds integers: expected weights");
    }
}

TEST(Weights, TablesMayHaveMoreRowsThanAskedForButNotFewer) {
    const CheckpointDir dir;
    std::string json = TinyModel::config_json();
    const auto per_layer_vocab = [&](const char* n) {
        std::string changed = json;
        changed.replace(changed.find("\"vocab_size_per_layer_input\":288") + 29, 3, n);
        dir.write(changed, TinyModel::plain());
        const auto c = load(dir.path());
        return c ? std::to_string(c->config.per_layer_vocab) : c.error().message;
    };
    EXPECT_EQ(per_layer_vocab("200"), "200");
    EXPECT_EQ(per_layer_vocab("0"), "288");
    EXPECT_NE(per_layer_vocab("289").find("has shape 288 x 16: expected 289 x 16"), std::string::npos);
}

TEST(Weights, HostileNumbersCostNoMoreThanTheFile) {
    EXPECT_TRUE(ends_within(512, [] {
        GgufBuilder b;
        const char* changed[] = {"gemma3n.block_count", "gemma3n.feed_forward_length", "gemma3n.embedding_length_per_layer_input", "gemma3n.attention.sliding_window_pattern", "gemma3n.activation_sparsity_scale"};
        TinyModel::metadata(b, [&](const std::string& k) { return std::find(std::begin(changed), std::end(changed), k) != std::end(changed); });
        b.u32("gemma3n.block_count", 4096).u32("gemma3n.feed_forward_length", 1 << 24).u32("gemma3n.embedding_length_per_layer_input", 1 << 16);
        TinyModel::weights(b);
        const TemporaryFile f(b.build());
        if (load(f.path())) _exit(1);
    }));
}

TEST(Weights, AltupCoefficientsAreClipped) {
    std::vector<float> v(4, 500.0f);
    v[1] = -500;
    v[2] = 119;
    const auto c = with("blk.0.altup_correct_coef.weight", [&](GgufBuilder& b) { b.tensor("blk.0.altup_correct_coef.weight", {2, 2}, 0, TinyModel::as_f32(v)); });
    ASSERT_TRUE(c) << c.error().message;
    const View& w = c->weights->layers[0].correction_coefs;
    EXPECT_EQ(w.f32(0)[0], 120);
    EXPECT_EQ(w.f32(0)[1], -120);
    EXPECT_EQ(w.f32(1)[0], 119);
    EXPECT_EQ(c->weights->n_clipped, 3);
}

TEST(Residency, ClassesAddUpToTheFile) {
    const auto c = with("", [](GgufBuilder& b) {
        b.tensor("output.weight", {8, 288}, 1, std::string(288 * 16, '\0')).tensor("blk.9.attn_q.weight", {1}, 0, "abcd").tensor("stranger", {1}, 0, "abcd");
    });
    ASSERT_TRUE(c) << c.error().message;
    const auto class_of = [&](const char* name) { return model::class_of(*c->checkpoint->find(name), c->config); };
    EXPECT_EQ(class_of("embed_tokens.weight"), TensorClass::head);
    EXPECT_EQ(class_of("lm_head.weight"), TensorClass::head);
    EXPECT_EQ(class_of("embed_tokens_per_layer.weight"), TensorClass::per_layer);
    EXPECT_EQ(class_of("altup_projections.0.weight"), TensorClass::core);
    EXPECT_EQ(class_of("layers.1.self_attn.k_proj.weight"), TensorClass::core);
    EXPECT_EQ(class_of("layers.2.self_attn.k_proj.weight"), TensorClass::unused);
    EXPECT_EQ(class_of("layers.3.self_attn.q_proj.weight"), TensorClass::core);
    EXPECT_EQ(class_of("layers.9.self_attn.q_proj.weight"), TensorClass::unused) << "beyond the layers";
    EXPECT_EQ(class_of("stranger"), TensorClass::unused);
    uint64_t sum = 0, expected = 0;
    for (const auto& b : model::bytes_by_class(*c->checkpoint, c->config)) {
        sum += b.file_bytes;
        EXPECT_EQ(b.resident_bytes, b.tensor_class <= TensorClass::head ? b.file_bytes : 0) << model::name(b.tensor_class);
    }
    for (const auto& t : c->checkpoint->tensors()) expected += t.bytes;
    EXPECT_EQ(sum, expected);
    for (int i = 0; i < model::n_tensor_classes; i++) {
        for (const Advice a : {Advice::will_need, Advice::dont_need}) model::advise(*c->checkpoint, c->config, static_cast<TensorClass>(i), a);
    }
}

}  // namespace
}  // namespace gemma3n::test
