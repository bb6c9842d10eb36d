// run at the end of a pipe: piped text follows PROMPT after a blank line, or is the prompt; any bytes are text.
#include "cli/command.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

Ran ask(Args more, const std::string& input) {
    Args a{"run", tiny(), "-t", "1", "--seed", "4", "-n", "12", "--stats"};
    a.insert(a.end(), more.begin(), more.end());
    Ran r = command(a, {.input = input});
    r.err = r.err.substr(0, r.err.find(','));  // the count of prompt tokens; times differ
    return r;
}

void expect_same(const Ran& a, const Ran& b) {
    EXPECT_EQ(a.code, 0);
    EXPECT_EQ(a.code, b.code);
    EXPECT_EQ(a.out, b.out);
    EXPECT_EQ(a.err, b.err);
}

TEST(Pipes, PipedTextIsThePrompt) { expect_same(ask({"--raw"}, "some notes"), ask({"--raw", "some notes"}, "")); }

TEST(Pipes, PipedTextFollowsThePromptAfterABlankLine) {
    expect_same(ask({"--raw", "Summarise"}, "some\nnotes\n"), ask({"--raw", "Summarise\n\nsome\nnotes\n"}, ""));
    expect_same(ask({"Summarise"}, "some notes"), ask({"Summarise\n\nsome notes"}, ""));
}

TEST(Pipes, EmptyInput) {
    const Ran r = command({"run", tiny()});
    EXPECT_EQ(r.code, 2);
    EXPECT_EQ(r.err, "gemma3n: standard input is empty and there is no PROMPT: expected text in one of them, or a terminal to chat\n");
    EXPECT_EQ(command({"run", tiny()}, {.input = " \n\t\n"}).code, 2);
    EXPECT_EQ(command({"run", tiny(), ""}, {.input = "notes"}).code, 2);
    EXPECT_EQ(command({"run", tiny(), "  "}).code, 2);
}

TEST(Pipes, ClosedInputIsEmpty) {
    const Ran chat = command({"run", tiny(), "-t", "1"}, {.close_input = true}), once = command({"run", tiny(), "-t", "1", "-n", "1", "hi"}, {.close_input = true});
    EXPECT_EQ(chat.code, 2) << chat.err;
    EXPECT_EQ(once.code, 0) << once.err;
}

TEST(Pipes, WhiteSpaceIsTextWithoutTheTurnFormat) { EXPECT_EQ(ask({"--raw"}, "\n").code, 0); }

TEST(Pipes, AnyBytesAreText) {
    using namespace std::string_literals;
    for (const std::string& s : {"a\0b"s, "\xFF\xFE\x80"s, "\xE2\x82"s, "\xED\xA0\x80"s, "\0"s, "naïve 日本語 🙂"s}) {
        EXPECT_EQ(ask({"--raw"}, s).code, 0) << s;
        EXPECT_EQ(ask({}, s).code, 0) << s;
    }
    EXPECT_NE(ask({"--raw"}, "a\0b"s).err, ask({"--raw"}, "a").err) << "nothing is cut at a NUL";
}

TEST(Pipes, LongTextGoesInChunks) {
    std::string text;
    for (int i = 0; i < 300; i++) text += "line " + std::to_string(i) + "\n";
    const Ran r = ask({"--raw"}, text);
    EXPECT_EQ(r.code, 0) << r.err;
}

}  // namespace
}  // namespace gemma3n::test
