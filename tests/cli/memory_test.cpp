// --memory: sizes as people write them, plans as a table and as JSON, and a refusal that says what works, with its own exit code.
#include "cli/command.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <regex>

namespace gemma3n::test {
namespace {

// `varies` (may be null): what of it the program held when it began, which no two runs have quite the same.
uint64_t peak_of(const Args& more, uint64_t* varies = nullptr) {
    Args a{"show", tiny(), "--json"};
    a.insert(a.end(), more.begin(), more.end());
    const Ran r = command(a);
    EXPECT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    if (parser.parse(r.out).get(json)) {
        ADD_FAILURE() << r.out;
        return 0;
    }
    uint64_t sum = 0;
    for (const auto c : simdjson::dom::array(json["memory"]["classes"])) sum += bool(c["text"]) ? uint64_t(c["bytes"]) : 0;
    EXPECT_EQ(sum, uint64_t(json["memory"]["text_bytes"]));
    const simdjson::dom::element first = simdjson::dom::array(json["memory"]["classes"]).at(0);
    EXPECT_EQ(std::string_view(first["name"]), "program");
    if (varies) *varies = first["bytes"];
    return json["memory"]["peak_bytes"];
}

TEST(Memory, ShowPrintsThePlan) {
    const Ran r = command({"show", tiny(), "--memory", "2G", "-c", "1000", "--kv", "q8"});
    ASSERT_EQ(r.code, 0) << r.err;
    for (const char* line : {"program ", "tokenizer ", "core weights ", "head ", "per-layer table ", "1000 tokens in q8\n", "512 tokens a step\n", "in size full, 2000.0 MB allowed\n"})
        EXPECT_NE(r.out.find(line), std::string::npos) << line << "\n" << r.out;
    EXPECT_LT(peak_of({"-c", "1000", "--kv", "q8"}), peak_of({"-c", "1000"}));
    EXPECT_LT(peak_of({"-c", "1000"}), peak_of({}));
    uint64_t program = 0, other_program = 0;
    const uint64_t peak = peak_of({"-c", "1000", "--memory", "1e9"}, &program), other = peak_of({"-c", "1000", "--memory", "1000M"}, &other_program);
    EXPECT_EQ(peak - program, other - other_program);
    EXPECT_NEAR(double(program), double(other_program), 1e6);
}

TEST(Memory, SizesThatAreNone) {
    for (const char* size : {"2T", "G", "-1", "2 G", "1e99", "0", ""}) {
        const Ran r = command({"run", tiny(), "x", "--memory", size});
        EXPECT_EQ(r.code, 2) << size;
        EXPECT_NE(r.err.find("expected a size such as 2G, 1500M, 2e9 or plain bytes"), std::string::npos) << r.err;
    }
    EXPECT_EQ(command({"run", tiny(), "x", "--kv", "q4"}).code, 2);
}

TEST(Memory, WhatDoesNotFitIsRefusedWithAWayOut) {
    const uint64_t needed = peak_of({"-c", "4096"});
    const std::string limit = std::to_string(needed - 100000);
    const Args base{"run", tiny(), "x", "--raw", "-n", "2", "--temp", "0"};
    const auto with = [&](Args more) {
        Args a = base;
        a.insert(a.end(), more.begin(), more.end());
        return command(a);
    };
    EXPECT_EQ(with({"--memory", std::to_string(needed), "-c", "4096"}).code, 0);
    const Ran less = with({"--memory", limit, "-c", "4096"});
    EXPECT_EQ(less.code, 0) << less.err << ": in smaller steps";
    const Ran none = with({"--memory", "3M", "-c", "4096"});
    EXPECT_EQ(none.code, 3);
    EXPECT_EQ(none.out, "");
    std::smatch m;
    ASSERT_TRUE(std::regex_search(none.err, m, std::regex("the least limit that works is (\\d+M), with a context of (\\d+) tokens, keys and values of type q8 and size full\n"))) << none.err;
    EXPECT_EQ(with({"--memory", m[1], "-c", m[2], "--kv", "q8"}).code, 0);
    for (const char* other : {"bench", "perplexity"}) {
        const std::string text = write_file("memory.txt", std::string(4000, 'a'));
        const Ran r = command(other == std::string("bench") ? Args{"bench", tiny(), "--memory", "3M"} : Args{"perplexity", tiny(), text, "--memory", "3M"});
        EXPECT_EQ(r.code, 3) << other << ": " << r.err;
    }
}

TEST(Memory, TheRoofsBufferCounts) {
    const Args base{"bench", tiny(), "-p", "8", "-n", "2", "-r", "1", "--memory"};
    const auto with = [&](Args more) {
        Args a = base;
        a.insert(a.end(), more.begin(), more.end());
        return command(a, {.limit = std::chrono::seconds(120)});
    };
    EXPECT_EQ(with({"120M"}).code, 0);
    const Ran r = with({"120M", "--roof"});
    EXPECT_EQ(r.code, 3) << r.err;
    EXPECT_EQ(r.out, "");
    std::smatch m;
    ASSERT_TRUE(std::regex_search(r.err, m, std::regex("what fits is --memory (\\d+M), or no --roof\n"))) << r.err;
    const Ran works = with({m[1], "--roof"});
    EXPECT_EQ(works.code, 0) << works.err;
}

TEST(Memory, MeasuresRunUnderALimit) {
    const std::string text = write_file("memory.txt", [] {
        std::string s;
        for (int i = 0; i < 900; i++) s += "word " + std::to_string(i * 7919 % 1000) + " ";
        return s;
    }());
    const Args base{"perplexity", tiny(), text, "-c", "256", "--windows", "2", "--activations", "f32", "--kernels", "reference"};
    const Ran plain = command(base, {.limit = std::chrono::seconds(120)});
    Args limited = base;
    for (const std::string& s : {std::string("--memory"), std::to_string(peak_of({"-c", "256"}) + 2000000)}) limited.push_back(s);
    const Ran kept = command(limited, {.limit = std::chrono::seconds(120)});
    ASSERT_EQ(plain.code, 0) << plain.err;
    ASSERT_EQ(kept.code, 0) << kept.err;
    EXPECT_EQ(plain.out.substr(0, plain.out.find(" +-")), kept.out.substr(0, kept.out.find(" +-")));
}

}  // namespace
}  // namespace gemma3n::test
