// The published tower at its three sizes, 294 million weights from their formula, against timm (tools/oracle/vision_goldens.py), and what
// embed_vision makes of it; and what it takes: multiplications, memory.
#include "model/media/embedder.h"
#include "vision_check.h"

namespace gemma3n::test {
namespace {

using model::VisionTower;

// The published tower and embed_vision on disk and bound, once for all tests of this file.
class VisionFull : public testing::Test {
protected:
    struct Loaded {
        CheckpointDir dir;
        VisionGolden golden = VisionGolden::read(G3N_SOURCE_DIR "/tests/model/data/vision/full.txt");
        std::shared_ptr<format::Checkpoint> checkpoint;
        std::unique_ptr<VisionTower> tower;
        model::OwnedVectors owned;
        model::Embedder embedder;
    };
    static inline std::unique_ptr<Loaded> loaded;

    static void SetUpTestSuite() {
        loaded = std::make_unique<Loaded>();
        write_vision_checkpoint(loaded->dir.path(), loaded->golden.tensors,
                                {{"embed_vision.embedding.weight", {128, 2048}},
                                 {"embed_vision.hard_embedding_norm.weight", {2048}},
                                 {"embed_vision.soft_embedding_norm.weight", {2048}},
                                 {"embed_vision.embedding_projection.weight", {2048, 2048}}});
        auto checkpoint = format::Checkpoint::open(loaded->dir.path());
        ASSERT_TRUE(checkpoint) << checkpoint.error().message;
        loaded->checkpoint = *checkpoint;
        auto tower = VisionTower::bind(**checkpoint, {});
        ASSERT_TRUE(tower) << tower.error().message;
        loaded->tower = std::move(*tower);
        model::Tensors tensors(**checkpoint, loaded->owned);
        auto embedder = model::Embedder::bind(tensors, "embed_vision.", 2048, 2048, 1e-6f);
        ASSERT_TRUE(embedder) << embedder.error().message;
        loaded->embedder = *embedder;
    }
    static void TearDownTestSuite() { loaded.reset(); }

    // Rows of embed_vision: token and its first eight columns.
    using Rows = std::map<int, std::vector<float>>;
    static void expect_rows(const View& v, const Rows& expected) {
        for (const auto& [row, columns] : expected) {
            double squares = 0;
            for (size_t i = 0; i < columns.size(); i++) squares += std::pow(v.f32(row)[i] - columns[i], 2.0);
            EXPECT_LE(std::sqrt(squares / static_cast<double>(columns.size())), 2e-5) << "row " << row;  // rms 1
        }
    }

    static void compare(int64_t side, const Rows& soft) {
        const auto golden = std::ranges::find(loaded->golden.pictures, side, &GoldenPicture::side);
        ASSERT_NE(golden, loaded->golden.pictures.end());
        SeenMaps seen(*golden);
        VisionRun run(*kernels::choose());
        std::vector<float> rows = run.encode(*loaded->tower, side, &seen);
        expect_golden(*golden, seen, 2e-5);
        EXPECT_LE(run.scratch.capacity_bytes(), 250u << 20);
        const uint64_t planned = loaded->tower->scratch_bytes(side, run.pool.n_threads(), true);
        EXPECT_EQ(run.scratch.peak_bytes(), planned) << "the plan follows the code";
        const Arena::Scope scope(run.scratch);
        const View in = run.scratch.view(256, 2048), out = run.scratch.view(256, 2048);
        memcpy(in.f32(), rows.data(), rows.size() * sizeof(float));
        loaded->embedder.soft(run.c, in, out);
        expect_rows(out, soft);
    }
};

TEST_F(VisionFull, At256) {
    compare(256, {{0, {1.358592f, -1.71018f, -0.5470611f, -0.6116759f, -1.107731f, -0.2218f, -0.6924378f, -1.039715f}},
                  {1, {1.073878f, -1.604211f, 0.2961957f, -0.8628893f, -0.4529462f, 0.055233f, -1.077431f, -0.6645333f}},
                  {16, {0.9639909f, -1.434773f, 0.2320732f, -0.2209125f, -1.169889f, 0.4612412f, -0.5914502f, -0.7582566f}},
                  {255, {1.364026f, -0.6718282f, 0.0008572457f, 0.9067954f, -0.7977031f, 0.5067247f, -1.178683f, -1.271471f}}});
}
TEST_F(VisionFull, At512) {
    compare(512, {{0, {1.297768f, -1.936807f, -0.1398283f, -0.02933704f, -1.060056f, 0.4972512f, -0.9440991f, -0.8633083f}},
                  {1, {1.099335f, -0.9335048f, 0.04143784f, 0.7181951f, -1.530281f, 0.3511984f, -0.836594f, -0.8071346f}},
                  {16, {1.839557f, -1.553801f, -0.2758372f, 0.7973823f, -1.308356f, 0.05732813f, -1.105682f, -0.5021716f}},
                  {255, {1.394052f, -0.6554969f, -0.2643277f, 1.109771f, -0.8368574f, 0.5813363f, -2.082792f, -1.568683f}}});
}
TEST_F(VisionFull, At768) {
    compare(768, {{0, {1.465158f, -1.314221f, -0.111472f, 0.2807235f, -1.39237f, 0.2943002f, -0.9208664f, -0.8862227f}},
                  {1, {1.380546f, -1.170175f, -0.1501661f, 0.7761697f, -1.533469f, 0.3980497f, -0.8917281f, -1.182742f}},
                  {16, {1.758525f, -1.069262f, 0.01470765f, 0.4055772f, -1.309414f, 0.09981051f, -1.235874f, -0.8751842f}},
                  {255, {1.688979f, -1.026984f, -0.163611f, 0.893477f, -1.072717f, 0.1497184f, -1.23986f, -1.874917f}}});
}

TEST_F(VisionFull, HardRows) {
    VisionRun run(*kernels::choose());
    const View out = run.scratch.view(2, 2048);
    const int64_t rows[] = {0, 1};  // ids 262144 and 262145
    loaded->embedder.hard(run.c, rows, out);
    expect_rows(out, {{0, {-0.4702365f, 1.360689f, 1.847812f, -1.839825f, -0.2137019f, 1.059162f, 0.176988f, -0.3600613f}},
                      {1, {0.0563799f, -0.08875752f, 2.149286f, -0.05271247f, 0.5603012f, 0.1417524f, -0.04303296f, 0.7725642f}}});
}

TEST_F(VisionFull, Multiplications) {  // 43.685, 181.835 and 435.741 thousand million
    EXPECT_NEAR(loaded->tower->multiplications(256), 43.685e9, 0.5e6);
    EXPECT_NEAR(loaded->tower->multiplications(512), 181.835e9, 0.5e6);
    EXPECT_NEAR(loaded->tower->multiplications(768), 435.741e9, 0.5e6);
}

}  // namespace
}  // namespace gemma3n::test
