// The chat in a terminal.
#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

Args chat(Args more) {
    Args a{"run", tiny(), "-t", "1"};
    a.insert(a.end(), more.begin(), more.end());
    return a;
}

TEST(Chat, GreetsAnswersAndSaysGoodbye) {
    Terminal t(chat({"--seed", "3", "-n", "4"}));
    EXPECT_TRUE(t.shows("/clear starts anew, /bye or Ctrl-D ends, Ctrl-C stops an answer.\r\n> "));
    t.type("hello\n");
    EXPECT_TRUE(t.shows("> ")) << t.screen();
    t.type("and again\n");
    EXPECT_TRUE(t.shows("> "));
    t.type("/bye\n");
    EXPECT_EQ(t.ends(), 0);
}

TEST(Chat, CtrlDEndsIt) {
    Terminal t(chat({}));
    EXPECT_TRUE(t.shows("> "));
    t.type("\x04");
    EXPECT_EQ(t.ends(), 0);
    EXPECT_TRUE(t.screen().ends_with("> \r\n")) << t.screen();
}

TEST(Chat, CtrlCStopsTheAnswerAndAtAnEmptyPromptTheChat) {
    Terminal t(chat({"--temp", "0"}));
    EXPECT_TRUE(t.shows("> "));
    t.type("hello\n");
    EXPECT_TRUE(t.shows("hello\r\n") && t.shows_bytes(8)) << "the answer is under way";
    t.type("\x03");
    EXPECT_TRUE(t.shows("^C"));
    EXPECT_TRUE(t.shows("\r\n> ")) << "the prompt stands on a line of its own";
    t.type("\x03");
    EXPECT_EQ(t.ends(), 130);
    EXPECT_TRUE(t.screen().ends_with("\r\n"));
}

// Greedy, this model repeats itself for ever: no answer ends before it is interrupted.
TEST(Chat, GoesOnAfterAnInterruptedAnswer) {
    Terminal t(chat({"--temp", "0", "--seed", "1", "--stats"}));
    EXPECT_TRUE(t.shows("> "));
    t.type("hello\n");
    EXPECT_TRUE(t.shows("hello\r\n") && t.shows_bytes(8)) << "the answer is under way";
    t.type("\x03");
    EXPECT_TRUE(t.shows("seed 1\r\n> "));
    t.type("hello\n");
    EXPECT_TRUE(t.shows("hello\r\n") && t.shows_bytes(8)) << "the answer is under way";
    t.type("\x03");
    EXPECT_TRUE(t.shows("seed 2\r\n> "));
    t.type("/bye\n");
    EXPECT_EQ(t.ends(), 0);
}

TEST(Chat, ClearForgets) {
    Terminal t(chat({"--temp", "0", "-n", "3", "--stats"}));
    const auto tokens = [&](const std::string& line) {
        EXPECT_TRUE(t.shows("> "));
        t.type(line + "\n");
        EXPECT_TRUE(t.shows("prompt      "));
        const size_t from = t.screen().rfind("prompt      ") + 12;
        EXPECT_TRUE(t.shows("seed"));
        return std::stoi(t.screen().substr(from));
    };
    const int first = tokens("hello"), second = tokens("hello");
    EXPECT_EQ(second, first - 1 + 3) << "no <bos>; the last token of the answer, <end_of_turn> and a new line come first";
    EXPECT_TRUE(t.shows("> "));
    t.type("/clear\n");
    EXPECT_EQ(tokens("hello"), first);
}

TEST(Chat, BlankLinesAndUnknownCommandsAskNothing) {
    Terminal t(chat({}));
    EXPECT_TRUE(t.shows("> "));
    t.type("  \n");
    EXPECT_TRUE(t.shows("> "));
    t.type("/help\n");
    EXPECT_TRUE(t.shows("gemma3n: '/help' is not a command: there are /image PATH, /audio PATH, /video PATH, /size, /clear and /bye\r\n> ")) << t.screen();
    t.type("/exit\n");
    EXPECT_EQ(t.ends(), 0);
}

TEST(Chat, FullContextIsSaidAndClearHelps) {
    Terminal t(chat({"--seed", "3", "-c", "40"}));
    EXPECT_TRUE(t.shows("> "));
    t.type("hello\n");
    EXPECT_TRUE(t.shows("the context of 40 tokens is full: the answer ends here (-c gives up to 4096); /clear starts anew\r\n> ")) << t.screen();
    t.type("hello\n");
    EXPECT_TRUE(t.shows("tokens do not fit: the context has room for 40 and 40 are used (-c gives up to 4096); /clear starts anew\r\n> ")) << t.screen();
    t.type("/clear\n");
    EXPECT_TRUE(t.shows("> "));
    t.type("hello\n");
    EXPECT_TRUE(t.shows("is full"));
    EXPECT_TRUE(t.shows("> "));
    t.type("/bye\n");
    EXPECT_EQ(t.ends(), 0);
}

TEST(Chat, OneShotInATerminalLeavesTheLineClean) {
    Terminal t(chat({"--raw", "--seed", "3", "hello"}));
    EXPECT_TRUE(t.shows("o"));
    t.type("\x03");
    EXPECT_EQ(t.ends(), 130);
    EXPECT_TRUE(t.screen().ends_with("\r\n"));
    EXPECT_EQ(t.screen().find('\033'), std::string::npos) << "no progress for what takes no time";
}

}  // namespace
}  // namespace gemma3n::test
