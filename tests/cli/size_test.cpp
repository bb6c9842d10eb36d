// Sizes as a person says them: --size, --prefill-size and --stats, /size in the chat, show's list, slice, bench of several.
#include "cli/terminal.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <fstream>
#include <regex>

namespace gemma3n::test {
namespace {

class Sizes : public testing::Test {
protected:
    static void SetUpTestSuite() {
        dir_ = new CheckpointDir;
        ASSERT_EQ(command({"synth", "--size", "elastic", "-o", model()}).code, 0);
    }
    static void TearDownTestSuite() { delete dir_; }
    static std::string path(const std::string& name) { return dir_->path() + "/" + name; }
    static std::string model() { return path("elastic.gguf"); }
    static inline CheckpointDir* dir_ = nullptr;
};

TEST_F(Sizes, StatsSayWhichSizeMadeWhichTokens) {
    const Ran r = command({"run", model(), "--raw", "--temp", "0", "-n", "3", "--size", "small", "--prefill-size", "full", "--release", "--stats", "--", "a b c d"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_NE(r.err.find("sizes       full: prompt 0 to "), std::string::npos) << r.err;
    EXPECT_NE(r.err.find(", answer 0 to 2\n"), std::string::npos) << r.err;
    const Ran refused = command({"run", model(), "--size", "e2b", "hello"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_EQ(refused.err, "gemma3n: size 'e2b' is a slice of Gemma 3n E4B, and this model, of 15 layers, is not one: it has full, small, mix, block\n");
}

TEST_F(Sizes, ShowListsThem) {
    const Ran r = command({"show", model()});
    ASSERT_EQ(r.code, 0) << r.err;
    for (const char* row : {"\nfull               15 ", "\nsmall              10 ", "\nmix                15 ", "\nblock              15 "}) EXPECT_NE(r.out.find(row), std::string::npos) << row << r.out;
}

TEST_F(Sizes, ASliceIsAModelOfItsOwn) {
    const Ran made = command({"slice", model(), "-o", path("small.gguf"), "--to", "small"});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_EQ(made.out + made.err, "");
    const Args ask = {"--raw", "--temp", "0", "-n", "8", "--seed", "1", "--", "a b c d"};
    const auto answer = [&](Args a) {
        a.insert(a.end(), ask.begin(), ask.end());
        return command(a).out;
    };
    const std::string in_place = answer({"run", model(), "--size", "small"});
    EXPECT_FALSE(in_place.empty());
    EXPECT_EQ(in_place, answer({"run", path("small.gguf")}));
    EXPECT_NE(in_place, answer({"run", model()}));
    EXPECT_EQ(command({"slice", model(), "-o", path("dir"), "--to", "small"}).code, 2) << "quantised weights have no place in a directory";
    EXPECT_EQ(command({"slice", model(), "-o", path("dir"), "--to", "small", "--dequantise", "f16"}).err.find("gemma3n: --dequantise is 'f16': expected bf16"), 0u);
}

TEST_F(Sizes, BenchComparesThem) {
    const Ran r = command({"bench", model(), "--size", "full,small", "-p", "20", "-n", "4", "-r", "1", "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    const simdjson::dom::element j = parser.parse(r.out);
    ASSERT_EQ(simdjson::dom::array(j["sizes"]).size(), 2u);
    EXPECT_EQ(std::string_view(j["sizes"].at(1)["size"]), "small");
    EXPECT_GT(double(j["sizes"].at(1)["decode_ceiling"]), 1.5);
    EXPECT_EQ(double(j["sizes"].at(0)["decode_speedup"]), 1);
    EXPECT_EQ(uint64_t(j["decode_bytes_per_token"]), uint64_t(j["sizes"].at(0)["decode_bytes_per_token"]));
}

TEST_F(Sizes, ALimitIsForAllOfThem) {
    const Ran none = command({"show", model(), "-c", "24", "--memory", "1M"});
    std::smatch least;
    ASSERT_TRUE(std::regex_search(none.err, least, std::regex("the least limit that works is (\\d+M), .* and size small"))) << none.err;
    const std::string limit = least[1], suite = path("limited.jsonl");
    std::ofstream(suite) << R"({"task": "words", "type": "exact", "prompt": "a b", "answer": "c", "max_tokens": 2})" << "\n";
    for (const Args& a : {Args{"bench", model(), "-p", "20", "-n", "4", "-r", "1"}, Args{"eval", model(), "--suite", suite}}) {
        Args both = a, one = a;
        for (const char* s : {"--memory", limit.c_str(), "--kv", "q8", "--size"}) both.push_back(s), one.push_back(s);
        both.push_back("small,full"), one.push_back("small");
        const Ran alone = command(one), r = command(both);
        EXPECT_EQ(alone.code, 0) << a[0] << alone.err;
        EXPECT_EQ(r.code, 3) << a[0] << r.err;
        EXPECT_EQ(r.out, "") << a[0];
    }
}

TEST_F(Sizes, FitSaysWhichSizeItIs) {
    const Ran b = command({"bench", model(), "--size", "fit", "--memory", "1G", "-p", "20", "-n", "4", "-r", "1", "--json"});
    EXPECT_EQ(b.code, 0) << b.err;
    for (const char* name : {"run", "show"}) {
        const Ran r = command({name, model(), "--target-tps", "5"});
        EXPECT_EQ(r.code, 2);
        EXPECT_NE(r.err.find("--target-tps is given with --size full: expected --size fit"), std::string::npos) << r.err;
    }
    EXPECT_EQ(command({"trace", "--help"}).out.find("or fit"), std::string::npos);
}

TEST_F(Sizes, TheChatChangesThem) {
    Terminal t({"run", model(), "-t", "1", "--temp", "0", "-n", "3", "--stats", "--release"});
    EXPECT_TRUE(t.shows("> "));
    t.type("hello\n");
    EXPECT_TRUE(t.shows("sizes       full: prompt 0 to ")) << t.screen();
    EXPECT_TRUE(t.shows("\r\n> "));
    t.type("/size\n");
    EXPECT_TRUE(t.shows("gemma3n: the size is full; there are full, small, mix, block\r\n> ")) << t.screen();
    t.type("/size small\n");
    EXPECT_TRUE(t.shows("gemma3n: the size is small\r\n> ")) << t.screen();
    t.type("again\n");
    EXPECT_TRUE(t.shows("sizes       small: prompt 0 to ")) << t.screen();
    EXPECT_TRUE(t.shows("\r\n> "));
    t.type("/size huge\n");
    EXPECT_TRUE(t.shows("gemma3n: size 'huge' is not known: this model has full, small, mix, block; or name a .json or .csv file\r\n> ")) << t.screen();
    t.type("/bye\n");
    EXPECT_EQ(t.ends(), 0);
}

}  // namespace
}  // namespace gemma3n::test
