// The model that comes with the program: where it is looked for, and what a name may ask of it.
#include "hub/shipped.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace gemma3n;
using namespace gemma3n::hub;
namespace fs = std::filesystem;

namespace {

class Shipped : public testing::Test {
protected:
    Shipped() : root_(fs::path(testing::TempDir()) / ("g3n-shipped-" + std::to_string(getpid()))) { fs::create_directories(root_); }
    ~Shipped() override { fs::remove_all(root_); }

    std::string put(const fs::path& folder, const std::string& file = std::string(shipped_file)) const {
        fs::create_directories((root_ / folder / file).parent_path());
        std::ofstream(root_ / folder / file) << "12345";
        return (root_ / folder).string();
    }
    std::string from(const std::string& executable) const {
        const auto folder = shipped_folder((root_ / executable).string());
        return folder ? *folder : "";
    }
    fs::path root_;
};

}  // namespace

TEST_F(Shipped, BesideAnInstalledCommandOrAboveOneInABuildFolder) {
    EXPECT_EQ(from("prefix/bin/gemma3n"), "");
    const std::string source = put("models/nano");
    EXPECT_EQ(from("build/release/gemma3n"), source);
    EXPECT_EQ(from("gemma3n"), source);
    EXPECT_EQ(from("prefix/bin/gemma3n"), source);
    const std::string nearer = put("build/models/nano");
    EXPECT_EQ(from("build/release/gemma3n"), nearer) << "the nearest";
    const std::string installed = put(fs::path("prefix/bin") / G3N_SHARE_FROM_BIN / "gemma3n/nano");
    EXPECT_EQ(from("prefix/bin/gemma3n"), fs::path(installed).lexically_normal()) << "its own first";
    EXPECT_EQ(from("build/release/gemma3n"), nearer);
}

TEST_F(Shipped, AFolderWithoutTheFileIsNotIt) {
    put("models/nano", "suite/suite.jsonl");
    EXPECT_EQ(from("build/gemma3n"), "");
    const auto none = shipped_folder((root_ / "usr/bin/gemma3n").string());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::not_found);
    const std::string at = root_.string();
    EXPECT_EQ(none.error().message, "nano: the model that comes with this program is not here: looked for nano-Q8_0.gguf in " + (root_ / "usr/bin" / G3N_SHARE_FROM_BIN / "gemma3n/nano").lexically_normal().string() +
                                        ", and in models/nano of " + at + "/usr/bin and of every folder above it");
}

TEST_F(Shipped, ItIsOneFile) {
    for (const char* name : {"nano", "nano:Q4_0", "nano:"}) EXPECT_TRUE(is_shipped_name(name)) << name;
    for (const char* name : {"", "nano.gguf", "nano/x", "a/nano", "Nano", "e2b"}) EXPECT_FALSE(is_shipped_name(name)) << name;
    const auto other = shipped_model("nano:Q4_0");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::bad_argument);
    EXPECT_EQ(other.error().message, "'nano:Q4_0': nano comes with this program as one file, nano-Q8_0.gguf: expected nano alone; 'gemma3n quantize' makes other types of it");
}

TEST_F(Shipped, IsListedWithAllItsFiles) {
    const std::string folder = put("n");
    put("n", "suite/suite.jsonl");
    const Cached c = shipped(folder);
    EXPECT_EQ(c.repo, "nano");
    EXPECT_EQ(c.path, folder);
    EXPECT_EQ(c.bytes, 10u);
    EXPECT_EQ(c.files, (std::vector<std::string>{"nano-Q8_0.gguf", "suite/suite.jsonl"}));
}
