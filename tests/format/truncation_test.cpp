// A small file cut at every byte, and with every byte of its header changed: always an answer, never much memory.
#include "format/checkpoint.h"

#include "base/limited_memory.h"
#include "base/temporary_file.h"
#include "format/gguf_builder.h"
#include "model/checkpoint_dir.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

std::string small_gguf() {
    GgufBuilder b;
    b.string("general.architecture", "gemma3n").u32("n", 7).numbers<float>("f", g_f32, {1, 2}).strings("s", {"a", "bc"});
    b.tensor("blk.0.attn_q.weight", {32, 2}, 8, std::string(68, 'q')).tensor("altup_proj.weight", {2, 2, 2}, 0, std::string(32, 's'));
    return b.build();
}

TEST(Truncation, GgufCutAtEveryByteIsRefused) {
    const std::string whole = small_gguf();
    EXPECT_TRUE(ends_within(256, [&] {
        const TemporaryFile f;
        for (size_t n = 1; n < whole.size(); n++) {
            f.write(whole.substr(0, n));
            if (format::Checkpoint::open(f.path())) _exit(1);
        }
        f.write(whole);
        if (!format::Checkpoint::open(f.path())) _exit(2);
    }));
}

TEST(Truncation, GgufWithAnyByteChangedNeverTakesMuchMemory) {
    const std::string whole = small_gguf();
    EXPECT_TRUE(ends_within(256, [&] {
        const TemporaryFile f;
        for (size_t i = 0; i < whole.size(); i++) {
            for (const char c : {'\x7F', '\xFF'}) {
                std::string changed = whole;
                changed[i] = c;
                f.write(changed);
                [[maybe_unused]] const auto any = format::Checkpoint::open(f.path());
            }
        }
    }));
}

TEST(Truncation, SafetensorsCutAtEveryByteIsRefused) {
    const CheckpointDir dir;
    dir.write("{}", {{"model.norm.weight", {4}, {1, 2, 3, 4}}, {"model.embed_tokens.weight", {2, 2}, {1, 2, 3, 4}}});
    const std::string path = dir.path() + "/model.safetensors";
    std::string whole(std::filesystem::file_size(path), '\0');
    std::ifstream(path, std::ios::binary).read(whole.data(), static_cast<std::streamsize>(whole.size()));
    EXPECT_TRUE(ends_within(256, [&] {
        for (size_t n = 1; n < whole.size(); n++) {
            std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, n);
            if (format::Checkpoint::open(dir.path())) _exit(1);
            std::string changed = whole;
            changed[n] = static_cast<char>(~changed[n]);
            std::ofstream(path, std::ios::binary | std::ios::trunc) << changed;
            [[maybe_unused]] const auto any = format::Checkpoint::open(dir.path());
        }
    }));
}

}  // namespace
}  // namespace gemma3n::test
