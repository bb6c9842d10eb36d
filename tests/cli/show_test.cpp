// show, for people and as JSON.
#include "cli/command.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "model/golden_case.h"

namespace gemma3n::test {
namespace {

struct Shown {
    simdjson::dom::parser parser;
    simdjson::dom::element json;
};

void show_json(const std::string& model, Shown& out) {
    const Ran r = command({"show", model, "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    ASSERT_EQ(out.parser.parse(r.out).get(out.json), simdjson::SUCCESS) << r.out;
}

TEST(Show, JsonOfTheTinyModel) {
    Shown s;
    show_json(tiny(), s);
    EXPECT_EQ(std::string_view(s.json["path"]), tiny());
    EXPECT_EQ(std::string_view(s.json["family"]), "gemma3n");
    EXPECT_EQ(std::string_view(s.json["container"]), "gguf");
    EXPECT_EQ(int64_t(s.json["layers"]), 10);
    EXPECT_EQ(int64_t(s.json["kv_layers"]), 5);
    EXPECT_EQ(int64_t(s.json["context_length"]), 4096);
    EXPECT_EQ(simdjson::dom::array(s.json["feed_forward"]).size(), 10u);
    EXPECT_EQ(simdjson::dom::array(s.json["sliding"]).size(), 10u);
    EXPECT_EQ(bool(simdjson::dom::array(s.json["sliding"]).at(4)), false);
    EXPECT_EQ(int64_t(s.json["altup_streams"]), 4);
    EXPECT_TRUE(bool(s.json["tokenizer"]));
    EXPECT_FALSE(std::string_view(s.json["kernels"]).empty());
    EXPECT_FALSE(std::string_view(s.json["cpu"]).empty());
    EXPECT_TRUE(s.json["chat_template_note"].is_null());
}

TEST(Show, JsonAddsUp) {
    Shown s;
    show_json(tiny(), s);
    uint64_t in_memory = s.json["kv_bytes_windows"];
    for (const auto c : simdjson::dom::object(s.json["bytes"])) in_memory += uint64_t(c.value["resident"]);
    EXPECT_EQ(uint64_t(s.json["needed_bytes_2048"]), in_memory + 2048 * uint64_t(s.json["kv_bytes_per_token"]));
    EXPECT_EQ(uint64_t(s.json["needed_bytes_full_context"]), in_memory + 4096 * uint64_t(s.json["kv_bytes_per_token"]));
}

TEST(Show, TowersBesideAModelAreNotNeededForText) {
    const std::string own = folder().path() + "/show-towers", model = own + "/m.gguf", alone = folder().path() + "/show-alone";
    std::filesystem::create_directories(own);
    std::filesystem::create_directories(alone);
    ASSERT_EQ(command({"synth", "--size", "tiny", "--type", "f16", "--towers", "-o", model}).code, 0);
    std::filesystem::copy_file(model, alone + "/m.gguf", std::filesystem::copy_options::overwrite_existing);
    Shown with, without;
    show_json(model, with);
    show_json(alone + "/m.gguf", without);
    for (const char* key : {"needed_bytes_2048", "needed_bytes_full_context", "parameters"}) EXPECT_EQ(uint64_t(with.json[key]), uint64_t(without.json[key])) << key;
    EXPECT_EQ(std::string_view(with.json["projector"]), own + "/mmproj-m.gguf");
    EXPECT_EQ(int64_t(with.json["vision"]["tokens"]), 256);
    EXPECT_EQ(int64_t(with.json["audio"]["tokens"]), 188);
    EXPECT_TRUE(bool(with.json["bytes"]["vision tower"]["on_demand"]));
    EXPECT_GT(uint64_t(with.json["bytes"]["vision tower"]["resident"]), 0u);
    EXPECT_FALSE(bool(with.json["bytes"]["core"]["on_demand"]));
    for (const char* key : {"projector", "vision", "audio", "towers_note"}) EXPECT_TRUE(without.json[key].is_null()) << key;
    EXPECT_NE(command({"show", model}).out.find("pictures               256 x 256 pixels, 256 tokens each\n"), std::string::npos);

    std::filesystem::resize_file(own + "/mmproj-m.gguf", 1000);  // text works all the same, and the reason is told
    Shown broken;
    show_json(model, broken);
    EXPECT_TRUE(broken.json["vision"].is_null());
    EXPECT_NE(std::string(std::string_view(broken.json["towers_note"])).find("mmproj-m.gguf"), std::string::npos);
    EXPECT_NE(command({"show", model}).out.find("no towers "), std::string::npos);
}

TEST(Show, DirectoryWithoutATokenizer) {
    CheckpointDir dir;
    GoldenCase::read("gemma3-pattern").write(dir);
    Shown s;
    show_json(dir.path(), s);
    EXPECT_EQ(std::string_view(s.json["family"]), "gemma3");
    EXPECT_EQ(std::string_view(s.json["container"]), "safetensors");
    EXPECT_FALSE(bool(s.json["tokenizer"]));
    EXPECT_EQ(int64_t(s.json["altup_streams"]), 0);
    const Ran table = command({"show", dir.path()});
    EXPECT_NE(table.out.find("(no tokenizer)"), std::string::npos);
    EXPECT_EQ(table.out.find("AltUp"), std::string::npos);
}

TEST(Show, TableForPeople) {
    const Ran r = command({"show", tiny()});
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.err, "");
    for (const char* line : {"family                 gemma3n\n", "layers                 10: 8 sliding (window 16), 2 global; 5 own keys and values\n", "context                4096\n"})
        EXPECT_NE(r.out.find(line), std::string::npos) << line << "\n" << r.out;
}

TEST(Show, OddFileNameStaysJson) {
    const std::string path = folder().path() + "/odd \"name\"\\\n\xFF.gguf";
    std::filesystem::copy_file(tiny(), path, std::filesystem::copy_options::overwrite_existing);
    Shown s;
    show_json(path, s);
    EXPECT_TRUE(std::string_view(s.json["path"]).ends_with("/odd \"name\"\\\n\xEF\xBF\xBD.gguf"));
}

TEST(Show, LostStandardOutputIsAnError) {
    for (const Args& a : {Args{"show", tiny()}, Args{"show", tiny(), "--json"}, Args{"tokenize", tiny(), "hi"}}) {
        const Ran r = command(a, {.output_to = "/dev/full"});
        EXPECT_EQ(r.code, 1);
        EXPECT_EQ(r.err, "gemma3n: standard output cannot be written: No space left on device\n");
    }
}

}  // namespace
}  // namespace gemma3n::test
