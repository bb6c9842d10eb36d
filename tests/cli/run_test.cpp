// run with a prompt: the answer alone on standard output, options that reach the sampler, and every way in which an answer ends.
#include "cli/command.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <regex>

namespace gemma3n::test {
namespace {

Args run_tiny(Args more) {
    Args a{"run", tiny(), "-t", "1"};
    a.insert(a.end(), more.begin(), more.end());
    return a;
}

TEST(Run, AnswerAloneOnStandardOutputAndNothingElse) {
    const Ran r = command(run_tiny({"--raw", "--seed", "3", "-n", "5", "hello"}));
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.err, "");
    EXPECT_GE(r.out.size(), 5u);
    EXPECT_EQ(r.out.back(), '\n');
}

TEST(Run, SameSeedSameAnswer) {
    const Args a = run_tiny({"--seed", "7", "-n", "40", "hello"});
    const std::string first = command(a).out;
    EXPECT_EQ(first, command(a).out);
}

TEST(Run, GreedyDoesNotAskTheSeed) {
    EXPECT_EQ(command(run_tiny({"--temp", "0", "--seed", "1", "-n", "20", "hi"})).out, command(run_tiny({"--temp", "0", "--seed", "2", "-n", "20", "hi"})).out);
    EXPECT_EQ(command(run_tiny({"--temp", "0", "-n", "20", "hi"})).out, command(run_tiny({"--top-k", "1", "-n", "20", "hi"})).out);
}

TEST(Run, SystemTextChangesThePrompt) {
    const auto prompt_tokens = [](const Ran& r) { return r.err.substr(0, r.err.find(" tokens")); };
    const Ran plain = command(run_tiny({"--stats", "-n", "1", "hi"})), system = command(run_tiny({"--stats", "-n", "1", "--system", "be brief", "hi"}));
    EXPECT_NE(prompt_tokens(plain), prompt_tokens(system));
    EXPECT_EQ(system.code, 0);
}

TEST(Run, StatsNameSpeedMemoryKernelsAndSeed) {
    const Ran r = command(run_tiny({"--stats", "--seed", "5", "-n", "3", "--kernels", "reference", "hi"}));
    EXPECT_EQ(r.code, 0);
    for (const char* word : {"prompt ", "answer      3 tokens", "first token ", "memory ", "reference on ", "seed 5"}) EXPECT_NE(r.err.find(word), std::string::npos) << word << "\n" << r.err;
    EXPECT_EQ(r.out.find("tokens/s"), std::string::npos);
}

TEST(Run, ShortStatsAreALine) {
    const Ran r = command(run_tiny({"--stats=short", "-n", "3", "hi"})), full = command(run_tiny({"--stats=full", "-n", "3", "hi"}));
    EXPECT_EQ(r.code, 0);
    EXPECT_TRUE(std::regex_match(r.err, std::regex("\\[full: first token after \\d\\.\\d{3} s, \\d+\\.\\d tokens/s, \\d\\.\\d{3} GB of memory\\]\n"))) << r.err;
    EXPECT_NE(full.err.find("answer      3 tokens"), std::string::npos) << full.err;
    EXPECT_EQ(command(run_tiny({"--stats=some", "hi"})).err.substr(0, 51), "gemma3n: --stats is 'some': expected full or short\n");
}

TEST(Run, NoTokensAsked) {
    const Ran r = command(run_tiny({"-n", "0", "hi"}));
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.out, "\n");
}

TEST(Run, FullContextIsSaidInOneSentence) {
    const Ran r = command(run_tiny({"--seed", "1", "-c", "40", "hi"}));
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.err, "gemma3n: the context of 40 tokens is full: the answer ends here (-c gives up to 4096)\n");
}

TEST(Run, PromptLongerThanTheContext) {
    const Ran r = command(run_tiny({"--raw", "-c", "4", "a b c d e f"}));
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_NE(r.err.find("tokens do not fit: the context has room for 4 (-c gives up to 4096)\n"), std::string::npos) << r.err;
    const Ran most = command(run_tiny({"--raw"}), {.input = std::string(5000, 'a') + "%"});
    EXPECT_EQ(most.code, 1);
    EXPECT_TRUE(most.err.ends_with("the context has room for 4096\n")) << most.err;
}

// At this temperature every id is about as likely: byte pieces, marks and, after some two hundred, one that ends the answer.
Args any_ids(const char* seed) { return run_tiny({"--raw", "--temp", "100", "--top-k", "0", "--top-p", "1", "--stats", "--seed", seed, "hi"}); }

TEST(Run, StopTokenEndsTheAnswerAndIsNotShown) {
    for (const char* seed : {"1", "2", "3"}) {
        const Ran r = command(any_ids(seed));
        EXPECT_EQ(r.code, 0);
        EXPECT_EQ(r.err.find("is full"), std::string::npos) << r.err;
        EXPECT_EQ(r.out.find("<end_of_turn>"), std::string::npos);
        EXPECT_EQ(r.out.find("<eos>"), std::string::npos);
    }
}

TEST(Run, StandardOutputIsAlwaysUtf8) {
    bool replaced = false;
    for (const char* n : {"20", "21", "22", "23", "24", "25"}) {  // -n may cut a character in two
        Args a = any_ids("1");
        a.insert(a.end(), {"-n", n});
        const Ran r = command(a);
        EXPECT_TRUE(simdjson::validate_utf8(r.out)) << n;
        replaced |= r.out.find("\xEF\xBF\xBD") != std::string::npos;
    }
    EXPECT_TRUE(replaced) << "these answers hold stray bytes, or the test tests nothing";
}

TEST(Run, CtrlCEndsTheAnswerWith130) {
    const Ran r = command(run_tiny({"--seed", "1", "hello"}), {.interrupt_after_bytes = 5});
    EXPECT_EQ(r.code, 130);
    EXPECT_EQ(r.err, "");
    EXPECT_EQ(r.out.back(), '\n');
}

TEST(Run, CtrlCWhileThePromptIsPiped) {
    int in[2];
    ASSERT_EQ(pipe(in), 0);  // stays open, so that the command waits for more
    const Args args = run_tiny({});
    const pid_t child = fork();
    if (child == 0) {
        dup2(in[0], 0);
        close(in[1]);
        become_command(args);
    }
    usleep(300000);
    kill(child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    close(in[0]), close(in[1]);
    EXPECT_EQ(exit_code(status), 130);
}

TEST(Run, LostStandardOutputIsAnError) {
    const Ran r = command(run_tiny({"-n", "5", "hi"}), {.output_to = "/dev/full"});
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.err, "gemma3n: standard output cannot be written: No space left on device\n");
}

TEST(Run, PromptWithADash) {
    EXPECT_EQ(command(run_tiny({"-n", "1", "--", "--seed what"})).code, 0);
    EXPECT_EQ(command(run_tiny({"-n", "1", "show"})).code, 0);  // the name of another command is a prompt here
}

}  // namespace
}  // namespace gemma3n::test
