// bench: the keys that its readers need, and memory that is the model's alone.
#include "cli/media_files.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace gemma3n::test {
namespace {

Ran bench(Args more) {
    Args a{"bench", tiny(), "-p", "40", "-n", "4", "-t", "2"};
    a.insert(a.end(), more.begin(), more.end());
    return command(a, {.limit = std::chrono::seconds(120)});
}

TEST(BenchCommand, JsonIsTheObjectAlone) {
    const Ran r = bench({"--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    simdjson::dom::parser parser;
    const simdjson::dom::element j = parser.parse(r.out);
    for (const char* key : {"prefill_tokens_per_s", "decode_tokens_per_s", "load_s", "peak_rss_bytes"}) EXPECT_GT(double(j[key]), 0) << key;
    for (const char* key : {"cpu", "kernels", "model"}) EXPECT_NE(std::string_view(j[key]), "") << key;
    EXPECT_EQ(int64_t(j["threads"]), 2);
    EXPECT_EQ(int64_t(j["prompt_tokens"]), 40);
    EXPECT_EQ(int64_t(j["decode_tokens"]), 4);
    EXPECT_EQ(simdjson::dom::array(j["decode_runs"]).size(), 3u);
    EXPECT_EQ(int64_t(j["decode_times"]["steps"]["laurel"]["calls"]), 4 * 10) << "four tokens through ten layers";
    EXPECT_EQ(int64_t(j["prefill_times"]["steps"]["head"]["calls"]), 1);
    EXPECT_LT(uint64_t(j["peak_rss_bytes"]), 100u << 20) << "nothing but the model is in memory";
    EXPECT_EQ(j["roof"].error(), simdjson::NO_SUCH_FIELD);
}

TEST(BenchCommand, TableNamesTheSteps) {
    const Ran r = bench({});
    ASSERT_EQ(r.code, 0) << r.err;
    for (const char* word : {"prefill", "decode", "gated_ffn", "altup_correct", "outside of steps", "tokens/s", "GB/s"}) EXPECT_NE(r.out.find(word), std::string::npos) << word << "\n" << r.out;
    EXPECT_EQ(r.out.find("roof"), std::string::npos);
}

TEST(BenchCommand, RoofIsMeasuredOnlyWhenAsked) {
    const Ran r = bench({"--roof", "--json", "-r", "1"});
    ASSERT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    const simdjson::dom::element j = parser.parse(r.out);
    ASSERT_EQ(simdjson::dom::array(j["roof"]["at"]).size(), 2u);
    for (const auto at : simdjson::dom::array(j["roof"]["at"]))
        for (const char* key : {"read_gb_per_s", "int8_gops", "f32_gflops"}) EXPECT_GT(double(at[key]), 0.1) << key;
    EXPECT_NEAR(double(j["roof"]["decode_share_of_read"]), double(j["decode_gb_per_s"]) / double(j["roof"]["at"].at(1)["read_gb_per_s"]), 1e-6);
    EXPECT_LT(uint64_t(j["peak_rss_bytes"]), 100u << 20) << "the roof's buffer is not the model's";
}

TEST(BenchCommand, KernelsAndSizes) {
    const Ran r = bench({"--kernels", "reference", "--json", "-r", "1"});
    ASSERT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    EXPECT_EQ(std::string_view(parser.parse(r.out)["kernels"]), "reference");
    const Ran long_prompt = command({"bench", tiny(), "-p", "5000"});
    EXPECT_EQ(long_prompt.code, 2);
    EXPECT_EQ(long_prompt.err, "gemma3n: context of 5064 tokens: the model was made for 4096 at most\n");
    EXPECT_EQ(command({"bench", tiny(), "-n", "0"}).code, 2);
}

TEST(BenchCommand, TowersBesideTheRoof) {
    const Ran r = command({"bench", towered(), "--vision", "128", "--vision", "64", "--audio", "-r", "1", "-t", "1", "--json"}, {.limit = std::chrono::seconds(120)});
    ASSERT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    const simdjson::dom::element j = parser.parse(r.out);
    const auto vision = simdjson::dom::array(j["vision"]);
    ASSERT_EQ(vision.size(), 2u);
    EXPECT_EQ(int64_t(vision.at(0)["side"]), 128);
    EXPECT_EQ(int64_t(vision.at(1)["side"]), 64);
    EXPECT_GT(double(vision.at(0)["multiplications"]), double(vision.at(1)["multiplications"]));
    const double roof = j["roof"]["at"].at(0)["int8_gops"];
    for (const simdjson::dom::element t : {vision.at(0).value(), vision.at(1).value(), j["audio"].value()}) {
        EXPECT_EQ(std::string_view(t["arithmetic"]), "int8");
        EXPECT_NEAR(double(t["gops"]), 2e-9 * double(t["multiplications"]) / double(t["seconds"].at(0)), 1e-6 * double(t["gops"]));
        EXPECT_NEAR(double(t["share_of_roof"]), double(t["gops"]) / roof, 1e-6);
    }
    EXPECT_NEAR(double(j["audio"]["realtime_factor"]), double(j["audio"]["seconds"].at(0)) / 30, 1e-6);
    EXPECT_NE(std::string_view(j["cpu"]), "");
    EXPECT_EQ(command({"bench", towered(), "--vision", "100"}).code, 2);
    EXPECT_EQ(command({"bench", towered(), "--vision", "64", "-p", "3"}).code, 2);
    EXPECT_EQ(command({"bench", towerless(), "--audio"}).code, 1);
}

}  // namespace
}  // namespace gemma3n::test
