// Small towers of other widths against timm, on every kernel table (tools/oracle/vision_goldens.py).
#include "vision_check.h"

namespace gemma3n::test {
namespace {

VisionGolden golden(const std::string& name) { return VisionGolden::read(G3N_SOURCE_DIR "/tests/model/data/vision/" + name + ".txt"); }

class VisionGoldens : public testing::TestWithParam<std::string> {};

void compare(const std::string& name, const kernels::Table& k) {
    const VisionGolden g = golden(name);
    const CheckpointDir dir;
    write_vision_checkpoint(dir.path(), g.tensors);
    auto checkpoint = format::Checkpoint::open(dir.path());
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    model::VisionConfig config;
    config.n_tokens = g.n_tokens;
    auto tower = model::VisionTower::bind(**checkpoint, config);
    ASSERT_TRUE(tower) << tower.error().message;
    EXPECT_EQ((*tower)->side_multiple(), 32);
    for (const GoldenPicture& p : g.pictures) {
        SeenMaps seen(p);
        VisionRun run(k);
        const std::vector<float> rows = run.encode(**tower, p.side, &seen);
        expect_golden(p, seen, 2e-5);
        const std::vector<float>& msfa = seen.maps["vision.msfa"].values;  // handed over times the root of the width
        ASSERT_EQ(rows.size(), msfa.size());
        const float scale = std::sqrt(static_cast<float>((*tower)->width()));
        for (size_t i = 0; i < rows.size(); i++) ASSERT_EQ(rows[i], msfa[i] * scale);
    }
}

TEST_P(VisionGoldens, SmallTowersGiveTimmsMaps) {
    for (const kernels::Entry& e : kernels::all()) {
        if (e.table->name != GetParam()) continue;
        if (!e.supported) GTEST_SKIP() << "kernels '" << GetParam() << "' cannot run on this CPU";
        for (const char* name : {"scaled", "nano"}) {
            SCOPED_TRACE(name);
            compare(name, *e.table);
        }
    }
}
INSTANTIATE_TEST_SUITE_P(, VisionGoldens, testing::ValuesIn([] {
                             std::vector<std::string> names;
                             for (const kernels::Entry& e : kernels::all()) names.push_back(e.table->name);
                             return names;
                         }()),
                         [](const auto& p) {
                             std::string name = p.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

}  // namespace
}  // namespace gemma3n::test
