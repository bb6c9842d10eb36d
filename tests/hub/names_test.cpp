// Names of models and names of files: what passes, and what would leave the folder it is put in.
#include "hub/cache.h"
#include "hub/names.h"
#include "hub/selection.h"

#include <gtest/gtest.h>

using namespace gemma3n;
using namespace gemma3n::hub;

TEST(Names, AShortNameStandsForARepositoryAndAQuantisation) {
    for (const ShortName& n : short_names()) {
        const auto plain = parse_name(n.name), other = parse_name(std::string(n.name) + ":Q8_0"), spelled = parse_name(std::string(n.repo) + ":" + n.selector);
        ASSERT_TRUE(plain && other && spelled) << n.name;
        EXPECT_EQ(plain->repo, n.repo);
        EXPECT_EQ(plain->selector, spelled->selector);
        EXPECT_EQ(other->repo, n.repo);
        EXPECT_EQ(other->selector, "Q8_0");
        EXPECT_TRUE(looks_like_name(n.name));
    }
}

TEST(Names, TheHubsOwnRuleForRepositories) {
    for (const char* good : {"a/b", "unsloth/gemma-3n-E2B-it-GGUF", "a_b/c.d", "_a/b_", "a/b:Q4_K_M", "a/b:dir/x.gguf"}) EXPECT_TRUE(parse_name(good)) << good;
    for (const char* bad : {"", "a", "/", "a/", "/b", "a/b/c", "../b", "a/..", "a/.b", "a/b.", "-a/b", "a/b-", "a--b/c", "a/b--c", "a/b..c", "a/b c", "a/b\\c", "a/b:", "a/b:../x.gguf",
                            "a/b:/x.gguf", "a/b:x//y", "a/b:./x", "\xc3\xa9/b"}) {
        const auto r = parse_name(bad);
        ASSERT_FALSE(r) << bad;
        EXPECT_EQ(r.error().code, Code::bad_argument);
    }
    EXPECT_FALSE(parse_name(std::string(97, 'a') + "/b"));
}

TEST(Names, PathsAreNoNames) {
    for (const char* path : {"model.gguf", "models/model.gguf", "./a/b", "/a/b", "a/b/c", "~/a", "a/", ""}) EXPECT_FALSE(looks_like_name(path)) << path;
    for (const char* name : {"e2b", "e2b:Q4_0", "a/b", "a/b:x.gguf"}) EXPECT_TRUE(looks_like_name(name)) << name;
}

TEST(Names, UnsafePathsSayWhatIsWrong) {
    for (const char* good : {"a", "a/b.gguf", "..a", "a..b/c", "a b", "\xc3\xa9.gguf"}) EXPECT_EQ(unsafe_path(good), "") << good;
    for (const char* bad : {"", ".", "..", "/a", "a/", "a//b", "a/./b", "a/../b", "../a", "a/..", "a\\b", "a\nb", "\x7f", "\xff"}) EXPECT_NE(unsafe_path(bad), "") << bad;
    EXPECT_NE(unsafe_path(std::string_view("a\0b", 3)), "");
    EXPECT_EQ(unsafe_path(std::string(255, 'a')), "");
    EXPECT_NE(unsafe_path(std::string(256, 'a')), "");
}

TEST(Names, ARepositorysFolderHoldsBothHalves) {
    Settings s;
    s.cache = "/cache";
    EXPECT_EQ(repo_folder(s, "unsloth/gemma-3n-E2B-it-GGUF"), "/cache/models--unsloth--gemma-3n-E2B-it-GGUF");
}
