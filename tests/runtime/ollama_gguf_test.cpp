// A GGUF as Ollama's converter writes Gemma 3n: keys of its own (head_dim, rope.freq_base_local, altup.correct_scale, eos_token_ids), every
// matrix in F16, AltUp's coefficients already clamped. The same answers as from the stock form of the same weights.
#include "base/temporary_file.h"
#include "gemma3n/engine.h"
#include "model/tiny_model.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

// The tiny model's values rounded to f16, one coefficient of each matrix beyond the clip.
std::vector<float> values(const TinyModel::Tensor& t) {
    std::vector<float> v = t.values();
    if (t.gguf.find("_coef.weight") != std::string::npos) v[0] = 150, v.back() = -130;
    if (t.shape.size() > 1)
        for (float& x : v) x = f16_to_f32(f32_to_f16(x));
    return v;
}

void tensors(GgufBuilder& b, bool ollama) {
    for (const TinyModel::Tensor& t : TinyModel::tensors()) {
        std::vector<float> v = values(t);
        if (ollama && t.gguf.find("_coef.weight") != std::string::npos)
            for (float& x : v) x = std::clamp(x, -120.0f, 120.0f);
        const std::vector<uint64_t> dims(t.shape.rbegin(), t.shape.rend());
        const bool half = ollama && t.shape.size() > 1;
        b.tensor(t.gguf, dims, half ? 1 : 0, half ? TinyModel::as_f16(v) : TinyModel::as_f32(v));
    }
    for (const char* name : {"altup_proj.weight", "altup_unembd_proj.weight"}) {
        const std::vector<float> v = values({name, name, {TinyModel::hidden, TinyModel::hidden}});
        b.tensor(name, {TinyModel::hidden, TinyModel::hidden, TinyModel::n_streams - 1}, ollama ? 1 : 0, ollama ? TinyModel::as_f16(v) : TinyModel::as_f32(v));
    }
}

std::string stock(float local_theta) {
    GgufBuilder b;
    TinyModel::metadata(b);
    b.f32("gemma3n.rope.freq_base_swa", local_theta).f32("gemma3n.rope.freq_base", 3e5f);
    TinyModel::tokens(b);
    tensors(b, false);
    return b.build();
}

std::string ollama(float local_theta, bool correct_scale = true) {
    GgufBuilder b;
    TinyModel::metadata(b, [](const std::string& key) { return key.ends_with(".key_length") || key.ends_with(".value_length") || key.ends_with("shared_kv_layers"); });
    b.u32("gemma3n.head_dim", TinyModel::head_dim).u32("gemma3n.attention.shared_kv_layers", TinyModel::n_shared).u32("gemma3n.altup.active_idx", 0);
    b.f32("gemma3n.rope.freq_base_local", local_theta).f32("gemma3n.rope.freq_base", 3e5f).f32("gemma3n.attention.layer_norm_rms_epsilon", 1e-6f);
    b.number<uint8_t>("gemma3n.altup.correct_scale", g_bool, correct_scale).f32("gemma3n.altup.lr_multiplier", 1);
    TinyModel::tokens(b);
    b.numbers<int32_t>("tokenizer.ggml.eos_token_ids", g_i32, {1, 7});
    tensors(b, true);
    return b.build();
}

class OllamaGguf : public testing::Test {
protected:
    std::shared_ptr<Engine> load(const std::string& bytes) {
        files_.push_back(std::make_unique<TemporaryFile>(bytes));
        auto e = Engine::load(files_.back()->path(), {.threads = 1, .activations = Activations::f32});
        if (!e) ADD_FAILURE() << e.error().message;
        return e ? *e : nullptr;
    }
    std::vector<float> logits(const std::string& bytes) {
        const auto engine = load(bytes);
        if (!engine) return {};
        auto s = engine->new_session({});
        EXPECT_TRUE(s);
        std::vector<float> all;
        for (const int id : {2, 270, 266, 268, 100, 285, 9, 271, 12}) {  // beyond the window of 4
            const auto l = (*s)->append(std::vector<int>{id});
            if (!l) ADD_FAILURE() << l.error().message;
            else all.insert(all.end(), l->begin(), l->end());
        }
        return all;
    }

    std::vector<std::unique_ptr<TemporaryFile>> files_;
};

TEST_F(OllamaGguf, GivesTheLogitsOfTheStockForm) {
    const std::vector<float> want = logits(stock(700)), got = logits(ollama(700));
    ASSERT_EQ(want.size(), 9 * static_cast<size_t>(TinyModel::vocab()));
    for (const float x : want) ASSERT_TRUE(std::isfinite(x));
    EXPECT_EQ(got, want);
}

TEST_F(OllamaGguf, ItsKeysAreReadNotGuessed) {
    const std::vector<float> base = logits(ollama(700));
    EXPECT_NE(logits(ollama(900)), base);
    EXPECT_NE(logits(ollama(700, false)), base);
}

}  // namespace
}  // namespace gemma3n::test
