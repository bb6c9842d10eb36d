// trace: the file it writes, read back and held against the library and the goldens.
#include "cli/command.h"
#include "model/golden_case.h"

#include "gemma3n/engine.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemma3n::test {
namespace {

struct Stored {
    std::string type;
    std::vector<int64_t> shape;
    std::vector<float> values;
    std::vector<int32_t> ids;
};
using File = std::map<std::string, Stored>;

File read_back(const std::string& path) {
    const std::string bytes = read_file(path);
    if (bytes.size() < 8) throw std::runtime_error(path + " is no safetensors file");
    uint64_t n_header = 0;
    memcpy(&n_header, bytes.data(), 8);
    simdjson::dom::parser parser;
    File file;
    for (const auto t : simdjson::dom::object(parser.parse(bytes.data() + 8, n_header))) {
        Stored s{std::string(std::string_view(t.value["dtype"])), {}, {}, {}};
        for (const int64_t d : simdjson::dom::array(t.value["shape"])) s.shape.push_back(d);
        const uint64_t begin = t.value["data_offsets"].at(0), end = t.value["data_offsets"].at(1);
        const char* data = bytes.data() + 8 + n_header + begin;
        s.values.resize(s.type == "F32" ? (end - begin) / 4 : 0);
        s.ids.resize(s.type == "I32" ? (end - begin) / 4 : 0);
        memcpy(s.type == "F32" ? static_cast<void*>(s.values.data()) : s.ids.data(), data, end - begin);
        file[std::string(t.key)] = s;
    }
    return file;
}

std::string out_path() { return folder().path() + "/trace.safetensors"; }

Ran trace(Args more) {
    Args a{"trace", "-t", "1", "-o", out_path()};
    a.insert(a.end(), more.begin(), more.end());
    std::filesystem::remove(out_path());
    return command(a);
}

using Shape = std::vector<int64_t>;

TEST(Trace, TheModelIsNotWrittenOver) {
    const std::string model = folder().path() + "/mine.gguf", bytes = read_file(tiny());
    std::ofstream(model) << bytes;
    const Ran r = command({"trace", model, "--ids", "5", "-o", folder().path() + "/./mine.gguf"});
    EXPECT_EQ(r.code, 2);
    EXPECT_EQ(r.err, "gemma3n: --output is '" + folder().path() + "/./mine.gguf', which is the model: expected another file\n");
    EXPECT_EQ(read_file(model), bytes);
}

TEST(Trace, EveryTensorWithItsShape) {
    const Ran r = trace({tiny(), "--ids", "5,17,300"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.out + r.err, "");
    const File f = read_back(out_path());
    EXPECT_EQ(f.at("input_ids").ids, (std::vector<int32_t>{5, 17, 300})) << "taken as given: no <bos>";
    EXPECT_EQ(f.at("input_ids").shape, (Shape{3}));
    EXPECT_EQ(f.at("embeds").shape, (Shape{3, 256}));
    EXPECT_EQ(f.at("per_layer_inputs").shape, (Shape{3, 10, 256}));
    EXPECT_EQ(f.at("hidden").shape, (Shape{3, 256}));
    EXPECT_EQ(f.at("logits").shape, (Shape{3, 448})) << "of every position";
    for (int l = 0; l < 10; l++) {
        const std::string layer = "layers." + std::to_string(l) + ".";
        EXPECT_EQ(f.at(layer + "streams").shape, (Shape{4, 3, 256}));
        EXPECT_EQ(f.count(layer + "k"), l < 5 ? 1u : 0u) << "layers 5 to 9 use the keys of others";
        EXPECT_EQ(f.count(layer + "v"), l < 5 ? 1u : 0u);
    }
}

TEST(Trace, LogitsAreTheLibrarysOwn) {
    ASSERT_EQ(trace({tiny(), "--ids", "2,5,17", "--only", "^logits$"}).code, 0);
    const File f = read_back(out_path());
    auto engine = *Engine::load(tiny(), {.threads = 1});
    auto session = *engine->new_session();
    std::vector<StepRow> rows;
    for (const int id : {2, 5, 17}) rows.push_back({session.get(), id, nullptr, true});
    const auto logits = engine->step(rows);
    ASSERT_TRUE(logits);
    EXPECT_EQ(f.at("logits").values, std::vector<float>(logits->values, logits->values + logits->n * logits->vocab));
}

TEST(Trace, AgreesWithTheGoldensWithoutATokenizer) {
    for (const char* name : {"published-layout", "gemma3-pattern"}) {
        const GoldenCase golden = GoldenCase::read(name);
        CheckpointDir dir;
        golden.write(dir);
        std::string list;
        for (const int id : golden.ids) {
            if (!list.empty()) list += ',';
            list += std::to_string(id);
        }
        const Ran r = trace({dir.path(), "--ids", list, "--activations", "f32"});
        ASSERT_EQ(r.code, 0) << r.err;
        const Stored logits = read_back(out_path()).at("logits");
        ASSERT_EQ(logits.values.size(), golden.logits.size());
        float worst = 0;
        for (size_t i = 0; i < logits.values.size(); i++) worst = std::max(worst, std::abs(logits.values[i] - golden.logits[i]));
        EXPECT_LT(worst, 1e-3f) << name;
    }
}

TEST(Trace, OnlyIsSearchedInTheName) {
    ASSERT_EQ(trace({tiny(), "--ids", "2,5", "--only", "[.]0[.](k|v)$"}).code, 0);
    const File f = read_back(out_path());
    EXPECT_EQ(f.size(), 2u);
    EXPECT_TRUE(f.count("layers.0.k") && f.count("layers.0.v"));
}

TEST(Trace, PromptInTheTurnFormatOrRaw) {
    auto engine = *Engine::load(tiny(), {.threads = 1});
    ASSERT_EQ(trace({tiny(), "hi", "--only", "input_ids"}).code, 0);
    const std::vector<int> turns = *engine->encode_chat({{"user", "hi"}}, true);
    EXPECT_EQ(read_back(out_path()).at("input_ids").ids, std::vector<int32_t>(turns.begin(), turns.end()));
    ASSERT_EQ(trace({tiny(), "hi", "--raw", "--only", "input_ids"}).code, 0);
    const std::vector<int> raw = *engine->tokenize("hi");
    EXPECT_EQ(read_back(out_path()).at("input_ids").ids, std::vector<int32_t>(raw.begin(), raw.end()));
}

void expect_refused(const Args& args, int code, const std::string& sentence) {
    const Ran r = trace(args);
    EXPECT_EQ(r.code, code);
    EXPECT_EQ(r.err.substr(0, r.err.find('\n')), "gemma3n: " + sentence);
    EXPECT_FALSE(std::filesystem::exists(out_path())) << "a refused trace leaves no file";
}

TEST(Trace, RefusesWhatCannotBeMeant) {
    expect_refused({tiny()}, 2, "nothing to trace: give PROMPT or --ids");
    expect_refused({tiny(), ""}, 2, "PROMPT is empty: expected text");
    expect_refused({tiny(), "--ids", ""}, 2, "--ids is '': expected numbers with commas between them, like 2,5,17");
    for (const char* ids : {"2,", ",2", "2 5", "2,x", "2,,5", "99999999999"}) expect_refused({tiny(), "--ids", ids}, 2, "--ids is '" + std::string(ids) + "': expected numbers with commas between them, like 2,5,17");
    expect_refused({tiny(), "--ids", "2,448"}, 2, "--ids has 448: expected ids from 0 to 447");
    expect_refused({tiny(), "--ids", "2,-1"}, 2, "--ids has -1: expected ids from 0 to 447");
    expect_refused({tiny(), "--ids", "2", "hi"}, 2, "PROMPT and --ids cannot be given together");
    expect_refused({tiny(), "--ids", "2", "--raw"}, 2, "--raw and --ids cannot be given together");
    expect_refused({tiny(), "--ids", "2", "--only", "nothing"}, 2, "--only is 'nothing', which is found in no tensor's name: expected one of names like logits or layers.0.k");
    std::string many = "2";
    for (int i = 0; i < 4096; i++) many += ",5";
    expect_refused({tiny(), "--ids", many}, 1, "4097 tokens to trace: the model's context has room for 4096");
    EXPECT_EQ(trace({tiny(), "--ids", "2", "--only", "("}).code, 2);
}

TEST(Trace, OutputThatCannotBeWritten) {
    const Ran r = command({"trace", tiny(), "--ids", "2", "-o", folder().path() + "/no/such/place"});
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.err, "gemma3n: " + folder().path() + "/no/such/place: cannot be created: No such file or directory\n");
    EXPECT_EQ(command({"trace", tiny(), "--ids", "2", "-o", folder().path()}).code, 1);
}

}  // namespace
}  // namespace gemma3n::test
