// Blocks of every type against the gguf package, bit for bit: tools/oracle/make_block_goldens.py wrote both.
#include "kernels/tables.h"

#include <fstream>
#include <iterator>
#include <map>

namespace gemma3n::kernels {
namespace {

struct Golden {
    int64_t n_blocks;
    std::vector<std::byte> blocks;
    std::vector<float> values;
};

std::map<DType, Golden> goldens() {
    std::ifstream file(G3N_SOURCE_DIR "/tests/kernels/data/blocks.bin", std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    std::map<DType, Golden> out;
    for (size_t at = 0; at + 16 <= all.size();) {
        uint32_t head[4];  // ggml number, blocks, bytes a block, values a block
        memcpy(head, &all[at], 16);
        at += 16;
        for (DType t : test::quantised) {
            if (info(t).ggml != static_cast<int>(head[0])) continue;
            EXPECT_EQ(info(t).bytes, static_cast<int>(head[2])) << info(t).name;
            EXPECT_EQ(info(t).block, static_cast<int>(head[3])) << info(t).name;
            Golden g{head[1], std::vector<std::byte>(size_t{head[1]} * head[2]), std::vector<float>(size_t{head[1]} * head[3])};
            memcpy(g.blocks.data(), &all.at(at), g.blocks.size());
            memcpy(g.values.data(), &all.at(at + g.blocks.size()), g.values.size() * sizeof(float));
            out.emplace(t, std::move(g));
        }
        at += size_t{head[1]} * (head[2] + head[3] * sizeof(float));
    }
    return out;
}

class BlockGoldens : public test::OnTable {};
ON_EVERY_TABLE(BlockGoldens);

TEST_P(BlockGoldens, EveryTypeMeansWhatTheFormatSays) {
    const auto all = goldens();
    ASSERT_EQ(all.size(), std::size(test::quantised));
    for (const auto& [type, g] : all) {
        const int64_t n = info(type).block;
        std::vector<float> got(g.values.size());
        k->to_f32[static_cast<int>(type)](g.blocks.data(), g.n_blocks * n, got.data());
        for (size_t i = 0; i < got.size(); i++)
            ASSERT_EQ(f32_to_bits(got[i]), f32_to_bits(g.values[i])) << info(type).name << " block " << i / n << " value " << i % n << ": " << got[i] << ", " << g.values[i];
    }
}

}  // namespace
}  // namespace gemma3n::kernels
