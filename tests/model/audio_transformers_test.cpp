// Small encoders against transformers: clips of every length that meets an edge of the padding.
#include "model/audio_case.h"

namespace gemma3n::model {

namespace {

constexpr double tolerance = 5e-5;

class AudioTransformers : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

}  // namespace

TEST_P(AudioTransformers, EveryClip) {
    const kernels::Table* table = kernels::choose(std::get<1>(GetParam()).c_str());
    if (!table) GTEST_SKIP() << "kernels '" << std::get<1>(GetParam()) << "' cannot run on this CPU";
    const test::AudioCase golden(std::get<0>(GetParam()));
    const test::CheckpointDir dir;
    golden.write(dir);
    test::AudioRun run(dir.path(), golden.config, *table);
    const int64_t width = golden.sizes.width;
    EXPECT_EQ(run.tower->width(), width);
    for (size_t i = 0, at = 0; i < golden.lengths.size(); i++) {
        const int64_t n = golden.n_rows[i];
        EXPECT_EQ(run.tower->n_rows(golden.lengths[i]), n) << golden.lengths[i] << " samples";
        const std::vector<float> rows = run.rows(test::audio_signal(golden.lengths[i]));
        ASSERT_EQ(static_cast<int64_t>(rows.size()), n * width) << golden.lengths[i] << " samples";
        EXPECT_LE(test::relative_rms(rows, std::span(golden.rows).subspan(at, rows.size())), tolerance) << golden.lengths[i] << " samples";
        at += rows.size();
    }
}

// The sheet's table, the last of it longer than the clips here.
TEST(AudioRows, AreAsManyAsTheReferenceCounts) {
    const test::AudioCase golden("small");
    const test::CheckpointDir dir;
    golden.write(dir);
    const test::AudioRun run(dir.path(), golden.config, kernels::reference());
    for (const auto& [samples, rows] : {std::pair<int64_t, int64_t>{0, 0}, {1, 1}, {513, 1}, {640, 1}, {2560, 1}, {12345, 5}, {16000, 7}, {30000, 12}, {59200, 23}, {80000, 32}, {480000, 188}})
        EXPECT_EQ(run.tower->n_rows(samples), rows) << samples;
}

std::string case_name(const testing::TestParamInfo<std::tuple<std::string, std::string>>& p) {
    std::string name = std::get<0>(p.param) + "_" + std::get<1>(p.param);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(, AudioTransformers, testing::Combine(testing::Values("small", "odd"), testing::ValuesIn(test::every_table())), case_name);

}  // namespace gemma3n::model
