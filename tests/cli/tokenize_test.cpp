// tokenize: ids as JSON, one list a line.
#include "cli/terminal.h"
#include "model/golden_case.h"

#include "gemma3n/engine.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

std::string listed(const std::string& text, TokenizeOptions how = {}) {
    static const std::shared_ptr<Engine> engine = *Engine::load(tiny(), {.threads = 1});
    const std::vector<int> ids = *engine->tokenize(text, how);
    std::string s = "[";
    for (const int id : ids) {
        if (s.size() > 1) s += ',';
        s += std::to_string(id);
    }
    return s + "]\n";
}

std::string ids(Args more, const std::string& input = "") {
    Args a{"tokenize", tiny()};
    a.insert(a.end(), more.begin(), more.end());
    const Ran r = command(a, {.input = input});
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    return r.out;
}

TEST(Tokenize, Text) {
    EXPECT_EQ(ids({"hello there"}), listed("hello there"));
    EXPECT_TRUE(ids({"hello"}).starts_with("[2,"));
    EXPECT_EQ(ids({""}), "[2]\n");
}

TEST(Tokenize, NoBos) {
    EXPECT_EQ(ids({"--no-bos", "hello"}), listed("hello", {.add_bos = false}));
    EXPECT_EQ(ids({"--no-bos", ""}), "[]\n");
}

TEST(Tokenize, TypedSpecialTokensAreTextUnlessAskedFor) {
    const std::string plain = ids({"--no-bos", "<bos>"}), special = ids({"--no-bos", "--parse-special", "<bos>"});
    EXPECT_EQ(special, "[2]\n");
    EXPECT_NE(plain, special);
}

TEST(Tokenize, FileGivesOneListALine) {
    const std::string path = write_file("lines.txt", "one\n\n two \r\nlast");
    EXPECT_EQ(ids({"--file", path}), listed("one") + "[]\n" + listed(" two \r") + listed("last"));
    EXPECT_EQ(ids({"--file", path, "--no-bos"}), listed("one", {.add_bos = false}) + "[]\n" + listed(" two \r", {.add_bos = false}) + listed("last", {.add_bos = false}));
}

TEST(Tokenize, StandardInputAndAnyBytes) {
    using namespace std::string_literals;
    EXPECT_EQ(ids({"--file", "-"}, "one\ntwo\n"), listed("one") + listed("two"));
    EXPECT_EQ(ids({"--file", "-"}, "a\0b\n\xFF\n"s), listed("a\0b"s) + listed("\xFF"));
    EXPECT_EQ(ids({"--file", "-"}, ""), "");
}

TEST(Tokenize, LinesFromAPersonUntilCtrlC) {
    Terminal t({"tokenize", tiny(), "--file", "-"});
    t.type("one\n");
    EXPECT_TRUE(t.shows("[2,")) << "at once, not at the end";
    t.type("\x03");
    EXPECT_EQ(t.ends(), 130);
}

TEST(Tokenize, FileThatIsNoText) {
    const Ran missing = command({"tokenize", tiny(), "--file", "/no/such/file"});
    EXPECT_EQ(missing.code, 1);
    EXPECT_EQ(missing.err, "gemma3n: /no/such/file: cannot be opened: No such file or directory\n");
    const Ran directory = command({"tokenize", tiny(), "--file", folder().path()});
    EXPECT_EQ(directory.code, 1);
    EXPECT_EQ(directory.err, "gemma3n: " + folder().path() + ": cannot be read: Is a directory\n");
}

TEST(Tokenize, ModelWithoutATokenizer) {
    CheckpointDir dir;
    GoldenCase::read("gemma3-pattern").write(dir);
    for (const Args& a : {Args{"tokenize", dir.path(), "hi"}, Args{"tokenize", dir.path(), "--file", "-"}, Args{"run", dir.path(), "hi"}, Args{"run", dir.path(), "--raw", "hi"}}) {
        const Ran r = command(a);
        EXPECT_EQ(r.code, 1);
        EXPECT_EQ(r.err, "gemma3n: " + dir.path() + ": carries no tokenizer: tokenizer.json is missing\n");
        EXPECT_EQ(r.out, "");
    }
}

}  // namespace
}  // namespace gemma3n::test
