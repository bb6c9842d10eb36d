// What is resident: the weights that a step reads, never the per-layer table, and nothing once it is released.
#include "gemma3n/engine.h"
#include "model/checkpoint_dir.h"
#include "synth/synth.h"

#include <gtest/gtest.h>

#include <fstream>

namespace gemma3n::test {
namespace {

uint64_t resident_file_bytes() {  // of this process, mapped files
    std::ifstream status("/proc/self/status");
    for (std::string key, rest; status >> key && std::getline(status, rest);)
        if (key == "RssFile:") return std::stoull(rest) * 1024;
    return 0;
}

TEST(Residency, WeightsComeAndGoAndTheTableNeverComes) {
    const CheckpointDir dir;
    const std::string path = dir.path() + "/tiny.gguf";
    const Status written = synth::write_gguf(*synth::find_shape("tiny"), format::Mix::f32, path, {});
    ASSERT_TRUE(written) << written.error().message;
    const auto engine = Engine::load(path, {.threads = 1});
    ASSERT_TRUE(engine) << engine.error().message;
    uint64_t always = 0, table = 0;
    for (const ByteClass& b : (*engine)->info().bytes) {
        always += b.resident_bytes;
        if (b.name == "per-layer table") table = b.file_bytes;
    }
    ASSERT_GT(always, 20u << 20);
    ASSERT_GT(table, 4u << 20);

    std::vector<int> ids;
    for (int i = 0; i < 448; i++) ids.push_back(i);  // every row of the table
    const auto logits = [&] {
        const auto session = (*engine)->new_session();
        const auto l = (*session)->append(ids);
        EXPECT_TRUE(l);
        return std::vector<float>(l->begin(), l->end());
    };
    const uint64_t before = resident_file_bytes();
    const std::vector<float> first = logits();
    const uint64_t grown = resident_file_bytes() - before;
    // loading has touched a few pages already: the vectors
    EXPECT_GT(grown, always - (4u << 20)) << "the weights are used where they lie";
    EXPECT_LT(grown, always + table / 2) << "the table is read by row";

    (*engine)->release();
    EXPECT_LT(resident_file_bytes(), before + (2u << 20));
    EXPECT_EQ(logits(), first) << "read again";
}

}  // namespace
}  // namespace gemma3n::test
