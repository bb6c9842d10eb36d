// Names in projector files, and which projector file belongs to a model.
#include "format/projector.h"

#include "base/temporary_file.h"
#include "format/gguf_builder.h"
#include "format/tower_names.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace gemma3n::test {
namespace {

namespace fs = std::filesystem;
using namespace format;

TEST(TowerNames, AreThoseOfTheConverter) {
    const std::pair<const char*, const char*> known[] = {
        {"v.conv_stem.conv.bias", "vision_tower.timm_model.conv_stem.conv.bias"},
        {"v.blk.2.9.attn.key.down_conv.weight", "vision_tower.timm_model.blocks.2.9.attn.key.down_conv.weight"},
        {"v.blk.0.0.conv_exp.weight", "vision_tower.timm_model.blocks.0.0.conv_exp.weight"},
        {"v.msfa.ffn.pw_exp.bn.weight", "vision_tower.timm_model.msfa.ffn.pw_exp.bn.weight"},
        {"mm.soft_emb_norm.weight", "embed_vision.soft_embedding_norm.weight"},
        {"mm.a.input_projection.weight", "embed_audio.embedding_projection.weight"},
        {"a.conv1d.1.norm.weight", "audio_tower.subsample_conv_projection.conv_1.norm.weight"},
        {"a.pre_encode.out.weight", "audio_tower.subsample_conv_projection.input_proj_linear.weight"},
        {"a.blk.11.layer_pre_norm.weight", "audio_tower.conformer.11.norm.weight"},
        {"a.blk.0.conv_norm.weight", "audio_tower.conformer.0.lconv1d.pre_layer_norm.weight"},
        {"a.blk.0.norm_conv.weight", "audio_tower.conformer.0.lconv1d.conv_norm.weight"},
        {"a.blk.0.per_dim_scale", "audio_tower.conformer.0.attention.attn.per_dim_scale"},
        {"a.blk.0.ffn_down_1.weight", "audio_tower.conformer.0.ffw_layer_end.ffw_layer_2.weight"},
        {"a.blk.0.ln2.weight", "audio_tower.conformer.0.attention.post_norm.weight"},
    };
    for (const auto& [gguf, canonical] : known) {
        EXPECT_EQ(canonical_from_projector(gguf), canonical);
        EXPECT_EQ(projector_from_canonical(canonical), gguf);
    }
    for (const char* other : {"v.blk", "v.blk.", "a.blk.x.ln1.weight", "a.blk..ln1.weight", "a.blk.0.ln3.weight", "mm.0.weight", "blk.0.attn_q.weight", ""}) {
        EXPECT_FALSE(canonical_from_projector(other)) << other;
    }
}

GgufBuilder header(const std::string& architecture, const char* vision, const char* audio) {
    GgufBuilder b;
    b.string("general.architecture", architecture);
    if (vision) b.string("clip.vision.projector_type", vision);
    if (audio) b.string("clip.audio.projector_type", audio);
    return b;
}

std::string refusal(const GgufBuilder& b) {
    const TemporaryFile f(b.build());
    const auto c = Checkpoint::open(f.path());
    if (!c) return c.error().message;
    const Status s = check_projector(**c);
    return s ? "" : s.error().message.substr(s.error().message.find(": ") + 2);
}

TEST(Projector, OthersAreSaidToBeOthers) {
    EXPECT_EQ(refusal(header("clip", "gemma3nv", "gemma3na")), "");
    EXPECT_EQ(refusal(header("clip", "gemma3nv", nullptr)), "");
    EXPECT_EQ(refusal(header("clip", nullptr, "gemma3na")), "");
    EXPECT_EQ(refusal(header("clip", "gemma3", nullptr)), "its vision projector is 'gemma3': expected gemma3nv, Gemma 3n's");
    EXPECT_EQ(refusal(header("clip", "gemma3nv", "ultravox")), "its audio projector is 'ultravox': expected gemma3na, Gemma 3n's");
    EXPECT_EQ(refusal(header("clip", nullptr, nullptr)), "is the projector file of another model (type 'none'): expected gemma3nv or gemma3na, Gemma 3n's");
    EXPECT_EQ(refusal(header("gemma3n", nullptr, nullptr)), "is no projector file: expected a GGUF of architecture clip, with the vision and audio towers of Gemma 3n");
}

class FindProjector : public testing::Test {
protected:
    FindProjector() {
        std::string pattern = (fs::temp_directory_path() / "gemma3n-test-XXXXXX").string();
        dir_ = mkdtemp(pattern.data());
    }
    ~FindProjector() override { fs::remove_all(dir_); }
    void put(const std::string& name, const char* vision = "gemma3nv") { std::ofstream(dir_ / name, std::ios::binary) << header("clip", vision, nullptr).build(); }
    std::string found(const std::string& model) {
        const auto p = find_projector((dir_ / model).string());
        if (!p) return p.error().message.substr(p.error().message.find(": ") + 2);
        EXPECT_TRUE(p->empty() || fs::path(*p).parent_path() == dir_) << *p;
        return fs::path(*p).filename().string();
    }
    fs::path dir_;
};

TEST_F(FindProjector, NoneIsNone) {
    EXPECT_EQ(found("model.gguf"), "");
    put("mmproj-F16.gguf", "gemma3");  // another model's
    std::ofstream(dir_ / "mmproj.txt") << "notes";
    EXPECT_EQ(found("model.gguf"), "");
}

TEST_F(FindProjector, TheF16OneOfOneModel) {
    for (const char* name : {"mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-F32.gguf"}) put(name);
    EXPECT_EQ(found("gemma-3n-E2B-it-Q4_K_M.gguf"), "mmproj-F16.gguf");
    fs::remove(dir_ / "mmproj-F16.gguf");
    EXPECT_EQ(found("gemma-3n-E2B-it-Q4_K_M.gguf"), "mmproj-BF16.gguf");
}

TEST_F(FindProjector, TheModelsOwnNameComesFirst) {
    for (const char* name : {"mmproj-gemma-3n-E2B-it-F16.gguf", "mmproj-gemma-3n-E4B-it-F16.gguf", "mmproj-F16.gguf"}) put(name);
    EXPECT_EQ(found("gemma-3n-E2B-it-Q4_K_M.gguf"), "mmproj-gemma-3n-E2B-it-F16.gguf");
    EXPECT_EQ(found("gemma-3n-E4B-it-Q8_0.gguf"), "mmproj-gemma-3n-E4B-it-F16.gguf");
    EXPECT_EQ(found("another.gguf"), "mmproj-F16.gguf");
}

TEST_F(FindProjector, TheFileThatQuantizeWroteBesideIt) {
    for (const char* name : {"mmproj-mine-q8_0.gguf", "mmproj-mine-q4_0.gguf", "mmproj-mine-f16.gguf"}) put(name);
    EXPECT_EQ(found("mine-q4_0.gguf"), "mmproj-mine-q4_0.gguf");
    EXPECT_EQ(found("mine-q6_k.gguf"), "mmproj-mine-f16.gguf");
}

TEST_F(FindProjector, AnOnlyOneNeedsNoName) {
    put("mmproj-gemma-3n-E2B-it-F16.gguf");
    EXPECT_EQ(found("renamed.gguf"), "mmproj-gemma-3n-E2B-it-F16.gguf");
}

TEST_F(FindProjector, SeveralThatFitEquallyAreNamed) {
    put("mmproj-one-F16.gguf"), put("mmproj-two-BF16.gguf");
    EXPECT_EQ(found("three.gguf"), "has several projector files beside it, mmproj-one-F16.gguf, mmproj-two-BF16.gguf: expected one that bears its name, or the one that is meant to be named as mmproj");
}

// As the hub's cache has it: both names are links to blobs elsewhere.
TEST_F(FindProjector, LooksBesideALinkNotBesideWhatItPointsAt) {
    fs::create_directories(dir_ / "blobs");
    fs::create_directories(dir_ / "snapshots/1");
    std::ofstream(dir_ / "blobs/a", std::ios::binary) << "x";
    std::ofstream(dir_ / "blobs/b", std::ios::binary) << header("clip", "gemma3nv", "gemma3na").build();
    fs::create_symlink("../../blobs/a", dir_ / "snapshots/1/m-Q4_0.gguf");
    fs::create_symlink("../../blobs/b", dir_ / "snapshots/1/mmproj-F16.gguf");
    const auto p = find_projector((dir_ / "snapshots/1/m-Q4_0.gguf").string());
    ASSERT_TRUE(p);
    EXPECT_EQ(*p, (dir_ / "snapshots/1/mmproj-F16.gguf").string());
}

}  // namespace
}  // namespace gemma3n::test
