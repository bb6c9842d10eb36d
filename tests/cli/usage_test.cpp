// What cannot be meant gets one sentence that names it and what was expected, and exit code 2; a bad model file gets 1.
#include "cli/command.h"

#include <gtest/gtest.h>

namespace gemma3n::test {
namespace {

// The first line is the sentence; a second one, if any, points at --help.
void expect_usage(const Args& args, const std::string& sentence, int code = 2) {
    const Ran r = command(args);
    EXPECT_EQ(r.code, code) << sentence;
    EXPECT_EQ(r.out, "");
    const size_t end = r.err.find('\n');
    EXPECT_EQ(r.err.substr(0, end), "gemma3n: " + sentence);
    if (end + 1 < r.err.size()) {
        EXPECT_TRUE(r.err.ends_with("--help' says what it takes.\n")) << r.err;
    }
}

TEST(Usage, NothingAskedShowsTheCommands) {
    const Ran r = command({}), help = command({"--help"});
    EXPECT_EQ(r.code, 2);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(help.code, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_EQ(help.out, r.err);
    for (const char* c : {"run ", "show ", "tokenize ", "trace ", "synth "}) {
        EXPECT_NE(help.out.find(c), std::string::npos) << c;
        EXPECT_EQ(command({std::string(c, strlen(c) - 1), "--help"}).code, 0);
    }
    EXPECT_EQ(command({"--version"}).code, 0);
}

TEST(Usage, CommandsAndOptionsThatAreNot) {
    expect_usage({"chat"}, "'chat' is not a command of gemma3n: expected run, show, tokenize, trace, transcribe, pull, list, rm, synth, quantize, slice, imatrix, perplexity, eval or bench");
    expect_usage({"--fast"}, "'--fast' is not an option of gemma3n: expected run, show, tokenize, trace, transcribe, pull, list, rm, synth, quantize, slice, imatrix, perplexity, eval or bench");
    expect_usage({"run", "m", "--fast"}, "'--fast' is not an option of run");
    expect_usage({"run", "m", "--fast", "--faster"}, "'--fast' is not an option of run");
    expect_usage({"show", "m", "-t", "2"}, "'-t' is not an option of show");
    expect_usage({"run", "m", "--what is this"}, "'--what is this' is not an option of run: text that starts with a dash needs -- in front of it");
}

TEST(Usage, ArgumentsTooFewAndTooMany) {
    expect_usage({"run"}, "run needs MODEL");
    expect_usage({"trace", "m"}, "trace needs --output");
    expect_usage({"run", "m", "why", "not"}, "'not' is one argument too many: run takes MODEL and PROMPT, and text with spaces needs quotes");
    expect_usage({"run", "m", "--system"}, "--system is given without a value");
    expect_usage({"run", "m", "-n"}, "--max-tokens is given without a value");
    expect_usage({"run", "m", "--temp", "1", "--temp", "0"}, "--temp is given more than once");
    expect_usage({"tokenize", "m"}, "no text: give TEXT or --file FILE");
}

TEST(Usage, NothingIsSilentlyIgnored) {
    expect_usage({"run", "m", "hi", "--raw", "--system", "s"}, "--system and --raw cannot be given together");
    expect_usage({"show", "m", "--json=no"}, "--json takes no value");
    expect_usage({"run", "m", "hi", "--kernels", ""}, "--kernels is '': expected a name");
    expect_usage({"trace", "", "hi", "-o", "f"}, "MODEL is '': expected a path");
    expect_usage({"trace", "m", "hi", "-o", ""}, "--output is '': expected a path");
    expect_usage({"tokenize", "m", "hi", "--file", "f"}, "TEXT and --file cannot be given together");
}

TEST(Usage, Numbers) {
    for (const char* bad : {"abc", "-0.1", "101", "nan", "inf", "", "1x", " 1"}) expect_usage({"run", "m", "hi", "--temp", bad}, "--temp is '" + std::string(bad) + "': expected a number, 0 to 100");
    for (const char* bad : {"1.5", "-1", "0x10", "99999999999999999999"}) expect_usage({"run", "m", "hi", "--top-k", bad}, "--top-k is '" + std::string(bad) + "': expected a whole number, 0 to 16777216");
    expect_usage({"run", "m", "hi", "-t", "0"}, "--threads is '0': expected a whole number, 1 to 1024");
    expect_usage({"run", "m", "hi", "-c", "0"}, "--ctx-size is '0': expected a whole number, 1 to 9223372036854775807");
    expect_usage({"run", "m", "hi", "--activations", "q4"}, "--activations is 'q4': expected q8 or f32");
    const Ran r = command({"run", tiny(), "hi", "-t", "1", "-n", "010", "--stats"});
    EXPECT_NE(r.err.find("answer      10 tokens"), std::string::npos) << "decimal, not octal: " << r.err;
}

TEST(Usage, WhatTheModelCannotDo) {
    expect_usage({"run", tiny(), "hi", "-c", "4097"}, "context of 4097 tokens: the model was made for 4096 at most");
    const Ran r = command({"run", tiny(), "hi", "--kernels", "sse9"});
    EXPECT_EQ(r.code, 2);
    EXPECT_TRUE(r.err.starts_with("gemma3n: kernels 'sse9' cannot run here: this program has reference")) << r.err;
}

TEST(Usage, ModelsThatAreNot) {
    const std::string missing = folder().path() + "/missing.gguf", empty = write_file("empty.gguf", ""), text = write_file("text.gguf", "this is no model, but long enough to hold a header\n");
    CheckpointDir bare;
    expect_usage({"run", missing, "hi"}, missing + ": no such file or directory: expected a .gguf file or a directory with config.json", 1);
    expect_usage({"show", bare.path()}, bare.path() + ": has no config.json: expected a .gguf file or a directory with config.json and model.safetensors", 1);
    for (const std::string& path : {empty, text}) {
        const Ran r = command({"show", path});
        EXPECT_EQ(r.code, 1);
        EXPECT_TRUE(r.err.starts_with("gemma3n: " + path + ": ")) << r.err;
        EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
    }
}

}  // namespace
}  // namespace gemma3n::test
