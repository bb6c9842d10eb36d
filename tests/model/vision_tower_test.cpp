// What a vision tower takes and refuses: types and shapes of its tensors, sides of pictures, broken files; and what must not change its result.
#include "base/f16.h"
#include "format/gguf_writer.h"
#include "tensor/blocks.h"
#include "vision_check.h"

namespace gemma3n::test {
namespace {

using model::VisionTower;

const std::string prefix = "vision_tower.timm_model.";

class VisionFiles : public testing::Test {
protected:
    VisionGolden golden = VisionGolden::read(G3N_SOURCE_DIR "/tests/model/data/vision/nano.txt");
    std::vector<VisionTensor> tensors = golden.tensors;
    model::VisionConfig config{.n_tokens = 64};
    const kernels::Table& best = *kernels::choose();

    VisionTensor& tensor(const std::string& name) { return *std::ranges::find(tensors, name, &VisionTensor::name); }

    struct Bound {
        CheckpointDir dir;
        std::shared_ptr<format::Checkpoint> checkpoint;
        std::unique_ptr<VisionTower> tower;
    };
    // What binding ends with; empty if it succeeds.
    std::string bind(Bound& b, const std::string& file = "") {
        if (file.empty()) write_vision_checkpoint(b.dir.path(), tensors);
        auto checkpoint = format::Checkpoint::open(b.dir.path() + file);
        if (!checkpoint) return checkpoint.error().message;
        b.checkpoint = *checkpoint;
        auto tower = VisionTower::bind(**checkpoint, config);
        if (!tower) return tower.error().message;
        b.tower = std::move(*tower);
        return "";
    }
    std::string sentence() {
        Bound b;
        return bind(b);
    }
    void expect(const std::string& part) {
        const std::string got = sentence();
        EXPECT_NE(got.find(part), std::string::npos) << "'" << got << "' does not say '" << part << "'";
    }

    static double distance(const std::vector<float>& got, const std::vector<float>& expected) {
        double difference = 0, size = 0;
        for (size_t i = 0; i < got.size(); i++) {
            difference += std::pow(static_cast<double>(got[i]) - expected[i], 2.0);
            size += static_cast<double>(expected[i]) * expected[i];
        }
        return std::sqrt(difference / size);
    }

    // The same tower with `change` applied to the values of each tensor, in the plain type asked for.
    template <class F>
    void write_changed(const CheckpointDir& dir, DType type, F&& change) {
        std::vector<PlainTensor> changed;
        for (const VisionTensor& t : tensors) {
            PlainTensor& p = changed.emplace_back(PlainTensor{"model." + prefix + t.name, t.shape, std::vector<float>(static_cast<size_t>(t.size()))});
            tower_values(prefix + t.name, t.shape, 0, t.size(), p.values.data());
            change(t.name, p.values);
        }
        dir.write("{\"model_type\":\"gemma3n\"}", changed, type);
    }
    // Convolutions of 1 x 1 as matrices of Q8_0 where blocks divide their rows, the other ones in F16, layer scales and the stem's bias as [1, C, 1, 1].
    void write_projector(const std::string& path) {
        format::GgufWriter w;
        w.set("general.architecture", std::string("clip"));
        std::vector<std::vector<std::byte>> data;
        for (const VisionTensor& t : tensors) {
            std::vector<float> v(static_cast<size_t>(t.size()));
            tower_values(prefix + t.name, t.shape, 0, t.size(), v.data());
            std::string name = "v." + t.name;
            if (t.name.starts_with("blocks.")) name = "v.blk." + t.name.substr(7);
            std::vector<std::byte>& bytes = data.emplace_back();
            if (t.shape.size() == 4 && t.shape[2] == 1 && t.shape[1] % 32 == 0) {
                bytes.resize(v.size() / 32 * sizeof(BlockQ8_0));
                for (size_t b = 0; b < v.size() / 32; b++) {
                    float most = 0;
                    for (size_t i = 0; i < 32; i++) most = std::max(most, std::fabs(v[b * 32 + i]));
                    BlockQ8_0 block{f32_to_f16(most / 127), {}};
                    for (size_t i = 0; i < 32; i++) block.qs[i] = static_cast<int8_t>(std::lround(v[b * 32 + i] / most * 127));
                    memcpy(bytes.data() + b * sizeof block, &block, sizeof block);
                }
                w.declare(name, DType::q8_0, {t.shape[0], t.shape[1]});
            } else if (t.shape.size() == 4) {
                bytes.resize(v.size() * 2);
                for (size_t i = 0; i < v.size(); i++) {
                    const uint16_t h = f32_to_f16(v[i]);
                    memcpy(bytes.data() + 2 * i, &h, 2);
                }
                w.declare(name, DType::f16, t.shape);
            } else {
                bytes.resize(v.size() * 4);
                memcpy(bytes.data(), v.data(), bytes.size());
                const bool four = t.name.ends_with("gamma") || t.name.ends_with("bias");
                w.declare(name, DType::f32, four ? std::vector<int64_t>{1, t.shape[0], 1, 1} : t.shape);
            }
        }
        ASSERT_TRUE(w.open(path));
        for (size_t i = 0; i < data.size(); i++) ASSERT_TRUE(w.file().write_at(w.offset(i), data[i].data(), data[i].size()));
        ASSERT_TRUE(w.close());
    }
};

TEST_F(VisionFiles, EveryTensorIsNeeded) {
    const auto all = tensors;
    for (size_t i = 0; i < all.size(); i++) {
        tensors = all;
        tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(i));
        const std::string got = sentence();
        if (all[i].name.ends_with("layer_scale.gamma")) EXPECT_EQ(got, "");  // a part that a block may lack
        else EXPECT_TRUE(got.find("expected") != std::string::npos || got.find("is missing") != std::string::npos) << all[i].name << ": '" << got << "'";
    }
}

TEST_F(VisionFiles, EveryShapeIsChecked) {
    const auto all = tensors;
    for (size_t i = 0; i < all.size(); i++) {
        for (size_t d = 0; d < all[i].shape.size(); d++) {
            tensors = all;
            tensors[i].shape[d]++;
            const std::string got = sentence();
            EXPECT_NE(got.find("expected"), std::string::npos) << all[i].name << ", dimension " << d << ": '" << got << "'";
        }
    }
}

TEST_F(VisionFiles, TheFirstUploadHadNoBias) {
    std::erase_if(tensors, [](const auto& t) { return t.name == "conv_stem.conv.bias"; });
    expect("tensor 'conv_stem.conv.bias' is missing: expected a checkpoint of July 2025 or later");
}

TEST_F(VisionFiles, WhatHasNoPlaceIsRefused) {
    tensors.push_back({"blocks.2.3.attn.query.norm.weight", {96}});
    expect("tensor 'model.vision_tower.timm_model.blocks.2.3.attn.query.norm.weight' has no place in a MobileNet-V5");
}

TEST_F(VisionFiles, AGapInABlockListIsSeen) {
    std::erase_if(tensors, [](const auto& t) { return t.name.starts_with("blocks.1.1."); });
    expect("blocks.1.2.");
}

TEST_F(VisionFiles, AStageThatNothingHalves) {
    std::erase_if(tensors, [](const auto& t) { return t.name.starts_with("blocks.1.0.dw_"); });
    expect("tensor 'model.vision_tower.timm_model.blocks.1.0.pw_exp.conv.weight' opens a stage: expected a depthwise convolution");
}

TEST_F(VisionFiles, KeysOfOneKindAndValuesOfAnother) {
    std::erase_if(tensors, [](const auto& t) { return t.name == "blocks.2.2.attn.value.down_conv.weight" || t.name == "blocks.2.2.attn.value.norm.weight"; });
    expect("expected down_conv for both or for none");
}

TEST_F(VisionFiles, SoftTokensThatAreNoSquare) {
    for (const int64_t n : {int64_t{0}, int64_t{-4}, int64_t{60}, int64_t{1} << 62}) {
        config.n_tokens = n;
        expect("soft tokens: expected a square number up to 65536");
    }
}

TEST_F(VisionFiles, SidesThatAreNone) {
    Bound b;
    ASSERT_EQ(bind(b), "");
    VisionRun run(best);
    const View rows = run.scratch.view(64, 192);
    for (const int64_t side : {int64_t{0}, int64_t{-32}, int64_t{16}, int64_t{100}, int64_t{4128}, int64_t{1} << 40, INT64_MAX - 31}) {
        const Status s = b.tower->encode(run.c, {}, side, rows, nullptr);
        ASSERT_FALSE(s) << side;
        EXPECT_NE(s.error().message.find("expected a multiple of 32 up to 4096"), std::string::npos) << s.error().message;
    }
    const std::vector<float> pixels = vision_picture(64);
    const Status s = b.tower->encode(run.c, std::span(pixels).first(pixels.size() - 1), 64, rows, nullptr);
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().message, "a picture of 64 pixels a side has 12287 values: expected 12288");
}

TEST_F(VisionFiles, ThreadsDoNotShow) {
    Bound b;
    ASSERT_EQ(bind(b), "");
    for (const int64_t side : {96, 256}) {
        VisionRun one(best, true, 1), three(best, true, 3);
        EXPECT_EQ(one.encode(*b.tower, side), three.encode(*b.tower, side)) << side;
    }
}

TEST_F(VisionFiles, HalvesAndBlocks) {
    Bound f32;
    ASSERT_EQ(bind(f32), "");
    VisionRun exact(best), fast(best, false);
    const std::vector<float> truth = exact.encode(*f32.tower, 128);
    EXPECT_EQ(fast.encode(*f32.tower, 128), truth) << "plain weights are multiplied in f32";
    // one rounding of every weight: 2^-9 and 2^-12 relative at most, through 14 blocks
    for (const auto& [type, tolerance] : {std::pair{DType::bf16, 3e-2}, std::pair{DType::f16, 4e-3}}) {
        Bound b;
        write_changed(b.dir, type, [](const std::string&, std::vector<float>&) {});
        ASSERT_EQ(bind(b, "/"), "");
        EXPECT_LT(distance(exact.encode(*b.tower, 128), truth), tolerance) << info(type).name;
    }
    for (const kernels::Entry& e : kernels::all()) {
        if (!e.supported) continue;
        SCOPED_TRACE(e.table->name);
        Bound b;
        write_projector(b.dir.path() + "/mmproj.gguf");
        ASSERT_EQ(bind(b, "/mmproj.gguf"), "");
        VisionRun exact_blocks(*e.table), fast_blocks(*e.table, false);
        const std::vector<float> of_blocks = exact_blocks.encode(*b.tower, 64), of_bytes = fast_blocks.encode(*b.tower, 64), whole = exact_blocks.encode(*f32.tower, 64);
        EXPECT_LT(distance(of_blocks, whole), 3e-2);
        EXPECT_LT(distance(of_bytes, of_blocks), 6e-2);
        EXPECT_NE(of_bytes, of_blocks) << "8-bit activations were asked for";
    }
}

TEST_F(VisionFiles, KernelsOfBlocksAreRefused) {
    Bound b;
    format::GgufWriter w;
    w.set("general.architecture", std::string("clip"));
    w.declare("v.conv_stem.conv.weight", DType::q8_0, {16, 3, 3, 32});
    const std::vector<std::byte> zeros(16 * 3 * 3 * sizeof(BlockQ8_0));
    ASSERT_TRUE(w.open(b.dir.path() + "/mmproj.gguf"));
    ASSERT_TRUE(w.file().write_at(w.offset(0), zeros.data(), zeros.size()));
    ASSERT_TRUE(w.close());
    EXPECT_NE(bind(b, "/mmproj.gguf").find("conv_stem.conv.weight' has shape 16 x 3 x 3 x 32: expected"), std::string::npos);
}

// Sums beyond what a half holds: real weights reach 98 in msfa.ffn.pw_proj. A norm follows every convolution but attention's, so that
// weights a thousand and more times as large leave the result as it is, while the sums between reach 10^6 and more.
TEST_F(VisionFiles, LargeSumsDoNotOverflow) {
    Bound plain, large;
    ASSERT_EQ(bind(plain), "");
    write_changed(large.dir, DType::f32, [](const std::string& name, std::vector<float>& v) {
        if (name.ends_with("pw_exp.conv.weight") || name.ends_with("pw_proj.conv.weight") || name.ends_with("conv_exp.weight"))
            for (float& x : v) x *= 0x1p20f;
    });
    ASSERT_EQ(bind(large, "/"), "");
    VisionRun run(best);
    EXPECT_LT(distance(run.encode(*large.tower, 128), run.encode(*plain.tower, 128)), 1e-4);
}

}  // namespace
}  // namespace gemma3n::test
