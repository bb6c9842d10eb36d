// eval: the table, its JSON, and suites that are wrong.
#include "cli/media_files.h"
#include "cli/terminal.h"

#include "gemma3n/media.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <set>

namespace gemma3n::test {
namespace {

std::string quoted(const std::string& s) {
    std::string out = "\"";
    for (const char c : s) {
        char code[8];
        snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned char>(c));
        out += static_cast<unsigned char>(c) < 0x20 ? code : c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    return out + "\"";
}

const char* const good = R"({"task": "letters", "type": "choice", "prompt": "a b", "choices": [" c", " the boat"], "answer": 0}
{"task": "letters", "type": "choice", "prompt": "a b", "choices": [" c", " the boat"], "answer": 1}
{"task": "words", "type": "exact", "prompt": "the", "answer": "never this", "max_tokens": 2}
)";

TEST(EvalCommand, ModelsByTasks) {
    const std::string suite = write_file("suite.jsonl", good);
    const Ran r = command({"eval", tiny(), tiny(), "--suite", suite, "--json", "-t", "1"});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    simdjson::dom::parser parser;
    const simdjson::dom::element j = parser.parse(r.out);
    ASSERT_EQ(simdjson::dom::array(j["models"]).size(), 2u);
    for (const auto m : simdjson::dom::array(j["models"])) {
        EXPECT_EQ(std::string_view(m["model"]), tiny());
        ASSERT_EQ(simdjson::dom::array(m["tasks"]).size(), 2u);
        const auto letters = m["tasks"].at(0), words = m["tasks"].at(1);
        EXPECT_EQ(std::string_view(letters["task"]), "letters");
        EXPECT_EQ(int64_t(letters["n"]), 2);
        EXPECT_EQ(int64_t(letters["sum"]["right"]), 1) << "of two opposite questions one is right";
        EXPECT_EQ(int64_t(letters["per_byte"]["right"]), 1);
        EXPECT_NEAR(double(letters["sum"]["low_95"]), 0.0945, 1e-3) << "Wilson, 1 of 2";
        EXPECT_NEAR(double(letters["sum"]["high_95"]), 0.9055, 1e-3);
        EXPECT_EQ(std::string_view(words["type"]), "exact");
        EXPECT_EQ(int64_t(words["match"]["right"]), 0);
    }
    const Ran table = command({"eval", tiny(), "--suite", suite, "-t", "1"});
    EXPECT_NE(table.out.find("letters, choice per byte  1/2   50.0 %  (9.5 to 90.5)"), std::string::npos) << table.out;
    EXPECT_NE(table.out.find("words, exact"), std::string::npos) << table.out;
}

std::string elastic() {
    static const std::string path = [] {
        const std::string p = folder().path() + "/elastic.gguf";
        if (const Ran made = command({"synth", "--size", "elastic", "--type", "q8_0", "--seed", "3", "-o", p}); made.code != 0) throw std::runtime_error(made.err);
        return p;
    }();
    return path;
}

// What `run` answers becomes a suite's accepted answer.
std::string answer_line(const std::string& task, const std::string& prompt, const Args& run_options, const std::string& model = elastic()) {
    Args run{"run", model, prompt, "-t", "1", "--temp", "0", "-n", "8"};
    run.insert(run.end(), run_options.begin(), run_options.end());
    const Ran r = command(run);
    EXPECT_EQ(r.code, 0) << r.err;
    const std::string answer = r.out.substr(0, r.out.find_last_not_of(" \n") + 1);
    return "{\"task\": \"" + task + R"(", "type": "exact", "format": "chat", "max_tokens": 8, "prompt": )" + quoted(prompt) + ", \"answer\": " + quoted(answer) + "}\n";
}

struct Columns {
    simdjson::dom::parser parser;
    simdjson::dom::element j;
    explicit Columns(const Args& args) {
        Args all = args;
        for (const char* a : {"--json", "-t", "1"}) all.push_back(a);
        const Ran r = command(all);
        EXPECT_EQ(r.code, 0) << r.err;
        EXPECT_EQ(r.err, "");
        j = parser.parse(r.out);
    }
    std::string text(size_t column, const char* field) const { return std::string(std::string_view(j["models"].at(column)[field])); }
    int64_t right(size_t column, size_t task) const { return j["models"].at(column)["tasks"].at(task)["match"]["right"]; }
    std::string tasks(size_t column) const { return simdjson::minify(j["models"].at(column)["tasks"]); }
    size_t size() const { return simdjson::dom::array(j["models"]).size(); }
};

const char* const two_prompts[] = {"what is that", "a hen and a cat"};

TEST(EvalCommand, SizesAreColumns) {
    std::string suite;
    for (const char* size : {"full", "small", "block"})
        for (const char* prompt : two_prompts) suite += answer_line(size, prompt, {"--size", size});
    const std::string path = write_file("sizes.jsonl", suite);
    const Columns own({"eval", elastic(), "--suite", path}), some({"eval", elastic(), "--suite", path, "--size", "small,full"}), ahead({"eval", "--size", "block", elastic(), "--suite", path});
    ASSERT_EQ(own.size(), 4u);
    const char* names[] = {"full", "small", "mix", "block"};
    for (size_t i = 0; i < 4; i++) EXPECT_EQ(own.text(i, "size"), names[i]);
    EXPECT_EQ(own.right(0, 0), 2);
    EXPECT_EQ(own.right(1, 1), 2);
    EXPECT_EQ(own.right(3, 2), 2);
    EXPECT_LT(own.right(0, 1) + own.right(1, 0) + own.right(2, 0), 6) << "the sizes differ";
    ASSERT_EQ(some.size(), 2u);
    EXPECT_EQ(some.text(0, "size"), "small");
    EXPECT_EQ(some.tasks(0), own.tasks(1));
    EXPECT_EQ(some.tasks(1), own.tasks(0));
    ASSERT_EQ(ahead.size(), 1u);
    EXPECT_EQ(ahead.tasks(0), own.tasks(3));
    const Columns whole({"eval", tiny(), "--suite", path});
    EXPECT_EQ(whole.size(), 1u) << "a model without a list";

    const Ran table = command({"eval", elastic(), "--suite", path, "-t", "1", "--size", "full,small"});
    const std::string expected = "model         elastic.gguf\nsize          full          small\ntask          right         right\nfull, exact   2/2  100.0 %  ";
    EXPECT_EQ(table.out.substr(0, expected.size()), expected) << table.out;
    EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 6) << table.out;
}

TEST(EvalCommand, WideTablesBreakBetweenModels) {
    const std::string suite = write_file("suite.jsonl", good);
    const std::string renamed = folder().path() + "/other.gguf";
    std::filesystem::copy_file(elastic(), renamed);
    const Ran r = command({"eval", renamed, tiny(), elastic(), "--suite", suite, "-t", "1"});
    ASSERT_EQ(r.code, 0) << r.err;
    std::vector<std::string> heads;
    std::istringstream lines(r.out);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 100u) << line;
        if (line.starts_with("size")) heads.push_back(line.substr(line.find("full")));
    }
    const std::string sizes = "full          small         mix           block";
    EXPECT_EQ(heads, (std::vector<std::string>{sizes + "         full", sizes})) << "four sizes stand together: " << r.out;
    EXPECT_NE(r.out.find("  other.gguf                                              tiny.gguf\n"), std::string::npos) << r.out;
    EXPECT_NE(r.out.find("\n\nmodel                     elastic.gguf\n"), std::string::npos) << r.out;
    const Ran same = command({"eval", towerless(), towered(), "--suite", suite, "-t", "1"});
    for (const std::string& path : {towerless(), towered()}) EXPECT_NE(same.out.find("  " + path), std::string::npos) << "two that end alike: " << same.out;
}

TEST(EvalCommand, ASizeCanGoOnWhereAnotherReadThePrompt) {
    std::string suite;
    for (const char* prompt : two_prompts) suite += answer_line("as run", prompt, {"--prefill-size", "full", "--size", "small"});
    for (const char* prompt : two_prompts) suite += answer_line("full", prompt, {"--size", "full"});
    const std::string path = write_file("changes.jsonl", suite);
    const Columns at_once({"eval", elastic(), "--suite", path, "--size", "full", "--decode-size", "small"});
    EXPECT_EQ(at_once.right(0, 0), 2);
    EXPECT_LT(at_once.right(0, 1), 2);
    EXPECT_EQ(at_once.text(0, "size"), "full");
    EXPECT_EQ(at_once.text(0, "decode_size"), "small");
    EXPECT_EQ(int64_t(at_once.j["models"].at(0)["switch_after"]), 0);
    const Columns later({"eval", elastic(), "--suite", path, "--size", "full,small", "--decode-size", "small", "--switch-after", "8"});
    EXPECT_EQ(later.right(0, 1), 2) << "when all eight tokens were full's";
    EXPECT_EQ(int64_t(later.j["models"].at(0)["switch_after"]), 8);
    EXPECT_EQ(later.text(1, "size"), "small");
    EXPECT_TRUE(later.j["models"].at(1)["decode_size"].error()) << "nothing changes in it";
    const Ran table = command({"eval", elastic(), "--suite", path, "-t", "1", "--size", "full,mix", "--decode-size", "small", "--switch-after", "3"});
    EXPECT_NE(table.out.find("full>small@3  mix>small@3\n"), std::string::npos) << table.out << table.err;
}

TEST(EvalCommand, SizesThatDoNotGoTogether) {
    const std::string suite = write_file("suite.jsonl", good);
    const auto says = [&](const Args& more) {
        Args a{"eval", elastic(), "--suite", suite};
        a.insert(a.end(), more.begin(), more.end());
        const Ran r = command(a);
        EXPECT_EQ(r.code, 2) << r.err;
        EXPECT_EQ(r.out, "");
        return r.err;
    };
    EXPECT_EQ(says({"--decode-size", "small"}), "gemma3n: --decode-size is 'small', and nothing says which size reads the prompt: expected --size too\n");
    EXPECT_EQ(says({"--size", "full", "--switch-after", "3"}), "gemma3n: --switch-after is 3, and nothing says which size comes then: expected --decode-size too\n");
    EXPECT_EQ(says({"--size", "small", "--decode-size", "small"}), "gemma3n: --decode-size is 'small', as --size is: expected another\n");
    EXPECT_EQ(says({"--size", "fit", "--memory", "1G", "--decode-size", "small"}), "gemma3n: --size is 'fit', which chooses one size for all: expected names beside --decode-size\n");
    EXPECT_EQ(says({"--size", "small,fit"}), "gemma3n: --size has 'fit' behind another: expected it first, and once\n");
    EXPECT_EQ(says({"--size", "full,e2b"}), "gemma3n: size 'e2b' is a slice of Gemma 3n E4B, and this model, of 15 layers, is not one: it has full, small, mix, block\n");
    const std::string slices = write_file("slices.json", R"([{"name": "headless", "skip": [0]}])");
    EXPECT_EQ(says({"--size", "full", "--decode-size", slices}),
              "gemma3n: size 'headless' cannot go on where size 'full' has read the prompt: expected two that keep the same of the layers that own keys and values (docs/elastic.md)\n");
    EXPECT_EQ(says({"--types", "q8_0,q9"}).rfind("gemma3n: type 'q9' is not known: expected f32, f16, bf16, q8_0, ", 0), 0u);
}

// Where the system puts temporary files, for one test.
class TemporaryPlace {
public:
    TemporaryPlace() : before_(getenv("TMPDIR") ? getenv("TMPDIR") : "") { setenv("TMPDIR", dir_.path().c_str(), 1); }
    ~TemporaryPlace() { before_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", before_.c_str(), 1); }
    bool empty() const { return std::filesystem::is_empty(dir_.path()); }

private:
    CheckpointDir dir_;
    std::string before_;
};

TEST(EvalCommand, TypesAreThoseThatQuantizeMakes) {
    const std::string dir = folder().path();
    std::string suite;
    for (const char* type : {"q4_0", "q4_k_m"}) {
        const std::string made = dir + "/by-hand-" + type + ".gguf";
        ASSERT_EQ(command({"quantize", elastic(), "-o", made, "--type", type}).code, 0);
        for (const char* prompt : two_prompts) suite += answer_line(type, prompt, {"--size", "small"}, made);
    }
    const std::string path = write_file("types.jsonl", suite);
    const TemporaryPlace place;
    const Columns c({"eval", elastic(), "--suite", path, "--size", "full,small", "--types", "q4_k_m,q8_0,q4_0"});
    EXPECT_TRUE(place.empty());
    ASSERT_EQ(c.size(), 6u);
    const char* types[] = {"q4_k_m", "q8_0", "q4_0"};
    for (size_t i = 0; i < 6; i++) {
        EXPECT_EQ(c.text(i, "type"), types[i / 2]);
        EXPECT_EQ(c.text(i, "size"), i % 2 ? "small" : "full");
        EXPECT_EQ(c.text(i, "model"), elastic());
    }
    EXPECT_EQ(c.right(1, 1), 2) << "q4_k_m, small";
    EXPECT_EQ(c.right(5, 0), 2) << "q4_0, small";
    EXPECT_LT(c.right(1, 0) + c.right(5, 1), 4) << "the types differ";
    const Columns own({"eval", elastic(), "--suite", path, "--size", "full,small"});
    EXPECT_EQ(c.tasks(2), own.tasks(0)) << "the type that the file has is copied";
    EXPECT_EQ(c.tasks(3), own.tasks(1));
    const Ran table = command({"eval", elastic(), "--suite", path, "-t", "1", "--size", "small", "--types", "q8_0,q4_0"});
    EXPECT_NE(table.out.find("\ntype "), std::string::npos) << table.out;
}

TEST(EvalCommand, TypesOfTowersToo) {
    if (!media_support().png) GTEST_SKIP() << "built without the decoder";
    const std::string line = answer_line("seen", "What is it?", {"--image", red()}, towered());
    const std::string path = write_file("seen.jsonl", "{\"image\": " + quoted(red()) + ", " + line.substr(1));
    const TemporaryPlace place;
    const Columns c({"eval", towered(), "--suite", path, "--types", "q8_0,f16"});
    EXPECT_EQ(c.right(0, 0), 1) << "the projector beside the file came along";
    const std::string directory = folder().path() + "/towered-directory/";
    ASSERT_EQ(command({"synth", "--size", "tiny", "--type", "bf16", "--towers", "-o", directory}).code, 0);
    EXPECT_EQ(Columns({"eval", directory, "--suite", path, "--types", "q8_0"}).size(), 1u) << "and a directory's own towers";
    EXPECT_TRUE(place.empty());
    const Ran none = command({"eval", towerless(), "--suite", path, "--types", "q8_0,q4_0", "-t", "1"});
    EXPECT_EQ(none.code, 1);
    EXPECT_EQ(none.out, "");
    EXPECT_TRUE(place.empty()) << "after an error too";
}

TEST(EvalCommand, APictureEncodedOnceGoesToEverySize) {
    if (!media_support().png) GTEST_SKIP() << "built without the decoder";
    const std::string model = folder().path() + "/seeing/elastic.gguf";
    std::filesystem::create_directories(folder().path() + "/seeing");
    ASSERT_EQ(command({"synth", "--size", "elastic", "--type", "q8_0", "--seed", "3", "--towers", "-o", model}).code, 0);
    std::string suite;
    const std::pair<const char*, Args> cases[] = {{"full", {"--size", "full"}}, {"small", {"--size", "small"}}, {"change", {"--prefill-size", "full", "--size", "small"}}};
    for (const auto& [task, options] : cases) {
        Args shown = options;
        shown.insert(shown.end(), {"--image", red()});
        suite += "{\"image\": " + quoted(red()) + ", " + answer_line(task, "What is it?", shown, model).substr(1);
    }
    const std::string path = write_file("seeing.jsonl", suite);
    const Columns plain({"eval", model, "--suite", path, "--size", "full,small"}), change({"eval", model, "--suite", path, "--size", "full", "--decode-size", "small"});
    EXPECT_EQ(plain.right(0, 0), 1);
    EXPECT_EQ(plain.right(1, 1), 1);
    EXPECT_EQ(plain.right(0, 1), 0);
    EXPECT_EQ(change.right(0, 2), 1);
    EXPECT_EQ(change.right(0, 0), 0);
}

TEST(EvalCommand, CtrlCLeavesNoTypesBehind) {
    const TemporaryPlace place;
    std::string suite;
    for (int i = 0; i < 20000; i++) suite += R"({"task": "t", "type": "exact", "format": "chat", "prompt": "p", "answer": "a"})" "\n";
    const std::string path = write_file("long.jsonl", suite);
    Terminal t({"eval", elastic(), "--suite", path, "--types", "q4_0", "-t", "1"});
    ASSERT_TRUE(t.shows(elastic() + " as q4_0 "));
    EXPECT_FALSE(place.empty());
    t.type("\x03");
    EXPECT_EQ(t.ends(), 130);
    EXPECT_TRUE(place.empty());
}

TEST(EvalCommand, TheModelsOwnSuite) {
    namespace fs = std::filesystem;
    const auto with_suite = [](const std::string& name, const std::string& task) {
        const std::string own = folder().path() + "/" + name;
        fs::create_directories(own + "/suite");
        fs::copy_file(tiny(), own + "/m.gguf");
        write_file(name + "/suite/suite.jsonl", R"({"task": ")" + task + R"(", "type": "exact", "prompt": "p", "answer": "a", "max_tokens": 1})");
        return own + "/m.gguf";
    };
    const std::string one = with_suite("suite-one", "first"), other = with_suite("suite-two", "second");
    const Columns own({"eval", towerless(), one});
    EXPECT_EQ(own.size(), 2u);
    EXPECT_EQ(std::string_view(own.j["suite"]), folder().path() + "/suite-one/suite/suite.jsonl");
    EXPECT_EQ(std::string_view(own.j["models"].at(0)["tasks"].at(0)["task"]), "first");
    const Columns given({"eval", one, "--suite", folder().path() + "/suite-two/suite/suite.jsonl"});
    EXPECT_EQ(std::string_view(given.j["models"].at(0)["tasks"].at(0)["task"]), "second");
    const Ran two = command({"eval", one, other});
    EXPECT_EQ(two.code, 2);
    EXPECT_EQ(two.err, "gemma3n: " + folder().path() + "/suite-one/suite/suite.jsonl and " + folder().path() + "/suite-two/suite/suite.jsonl are two suites, each with a model: expected --suite to name one\n");
    const Ran none = command({"eval", towerless()});
    EXPECT_EQ(none.code, 2);
    EXPECT_EQ(none.err, "gemma3n: " + towerless() + ": has no questions of its own (suite/suite.jsonl beside it): expected --suite FILE\n");
    const Ran nowhere = command({"eval", folder().path() + "/nowhere.gguf"});
    EXPECT_EQ(nowhere.code, 1);
    EXPECT_EQ(nowhere.err.rfind("gemma3n: " + folder().path() + "/nowhere.gguf: ", 0), 0u) << nowhere.err;
}

TEST(EvalCommand, WhatWasSaidGoesIntoAFile) {
    const std::string suite = write_file("said.jsonl", R"({"task": "a \"task\"", "type": "exact", "prompt": "the", "answer": "x", "max_tokens": 3}
{"task": "letters", "type": "choice", "prompt": "a b", "choices": [" c", " the boat"], "answer": 0}

{"task": "t", "type": "words", "format": "chat", "prompt": "a cat", "answer": "x", "max_tokens": 4}
)");
    const std::string said = folder().path() + "/said-answers.jsonl";
    const Ran r = command({"eval", elastic(), "--suite", suite, "--size", "full,small", "--answers", said, "-t", "1"});
    ASSERT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    size_t n = 0;
    simdjson::dom::document_stream lines = parser.load_many(said);
    for (const auto line : lines) {
        const bool first = n < 2;
        EXPECT_EQ(std::string_view(line["size"]), n % 2 ? "small" : "full");
        EXPECT_EQ(int64_t(line["line"]), first ? 1 : 4) << "lines of the suite; of choices nothing is said";
        EXPECT_EQ(std::string_view(line["task"]), first ? "a \"task\"" : "t");
        Args run{"run", elastic(), "--size", n % 2 ? "small" : "full", "--temp", "0", "-n", first ? "3" : "4", "-t", "1"};
        if (first) run.push_back("--raw");
        run.push_back(first ? "the" : "a cat");
        std::string alone = command(run).out;
        alone.erase(0, std::min(alone.size(), alone.find_first_not_of(" \n")));
        if (first) alone = alone.substr(0, alone.find('\n'));
        EXPECT_EQ(std::string_view(line["said"]), alone.substr(0, alone.find_last_not_of(" \n") + 1));
        n++;
    }
    EXPECT_EQ(n, 4u);
    const Ran nowhere = command({"eval", elastic(), "--suite", suite, "--answers", folder().path() + "/no/such/folder.jsonl"});
    EXPECT_EQ(nowhere.code, 1);
    EXPECT_NE(nowhere.err.find("/no/such/folder.jsonl"), std::string::npos) << nowhere.err;
}

TEST(EvalCommand, OurOwnSuiteRuns) {
    const Ran r = command({"eval", tiny(), "--suite", std::string(G3N_SOURCE_DIR) + "/tests/data/suite.jsonl", "-t", "1"});
    EXPECT_EQ(r.code, 0) << r.err;
    for (const char* task : {"capitals", "opposites", "endings", "continue", "sums", "plurals", "repeat"}) EXPECT_NE(r.out.find(task), std::string::npos) << task;
}

// What `run` says, media and all, is what `eval` must get.
TEST(EvalCommand, PicturesSoundAndVideoAsRunHasThem) {
    if (!media_support().png || !media_support().containers) GTEST_SKIP() << "built without the decoders";
    namespace fs = std::filesystem;
    fs::create_directories(folder().path() + "/shown/media");
    const std::string at = folder().path() + "/shown/";
    fs::copy_file(red(), at + "media/red.png");
    fs::copy_file(media("pictures/palette8.png"), at + "media/other.png");
    write_file("shown/tone.wav", wav_bytes(1.5));
    fs::copy_file(media("video/h264.mp4"), at + "ball.mp4");
    struct Case {
        std::string fields;
        Args flags;
    };
    const std::vector<Case> cases = {{"", {}},
                                     {R"("image": "media/red.png", )", {"--image", at + "media/red.png"}},
                                     {R"("audio": ["tone.wav"], )", {"--audio", at + "tone.wav"}},
                                     {R"("audio": "tone.wav", "image": ["media/other.png", "media/red.png"], )", {"--image", at + "media/other.png", "--image", at + "media/red.png", "--audio", at + "tone.wav"}},
                                     {R"("video": "ball.mp4", )", {"--video", at + "ball.mp4"}}};
    std::string suite;
    std::set<std::string> answers;
    for (size_t i = 0; i < cases.size(); i++) {
        Args run{"run", towered(), "What is it?", "-t", "1", "--temp", "0", "-n", "12"};
        run.insert(run.end(), cases[i].flags.begin(), cases[i].flags.end());
        const Ran r = command(run);
        ASSERT_EQ(r.code, 0) << r.err;
        const std::string answer = quoted(r.out.substr(0, r.out.find_last_not_of(" \n") + 1));
        answers.insert(answer);
        const std::string rest = cases[i].fields + R"("format": "chat", "prompt": "What is it?", "max_tokens": 12, "answer": )";
        suite += R"({"task": "as run", "type": "exact", )" + rest + answer + "}\n";
        suite += R"({"task": "not so", "type": "words", )" + rest + "\"no such thing\"}\n";
        suite += R"({"task": "no call", "type": "json", )" + rest + answer + "}\n";
    }
    EXPECT_EQ(answers.size(), cases.size()) << "the files make a difference";
    const Ran r = command({"eval", towered(), "--suite", write_file("shown/suite.jsonl", suite), "-t", "1", "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    simdjson::dom::parser parser;
    const simdjson::dom::element j = parser.parse(r.out);
    const auto tasks = j["models"].at(0)["tasks"];
    EXPECT_EQ(int64_t(tasks.at(0)["n"]), 5);
    EXPECT_EQ(int64_t(tasks.at(0)["match"]["right"]), 5) << r.out;
    EXPECT_EQ(std::string_view(tasks.at(1)["type"]), "words");
    EXPECT_EQ(int64_t(tasks.at(1)["match"]["right"]), 0);
    EXPECT_EQ(int64_t(tasks.at(1)["words"]), 15);
    EXPECT_GE(int64_t(tasks.at(1)["wrong_words"]), 15);
    EXPECT_EQ(int64_t(tasks.at(2)["match"]["right"]), 5);
    EXPECT_EQ(int64_t(tasks.at(2)["json"]["right"]), 0);
    const Ran table = command({"eval", towered(), "--suite", at + "suite.jsonl", "-t", "1"});
    for (const char* row : {"as run, exact", "not so, words wrong", "no call, JSON"}) EXPECT_NE(table.out.find(row), std::string::npos) << table.out;
}

TEST(EvalCommand, FilesThatCannotBeShownAreNamed) {
    const auto says = [](const std::string& model, const std::string& fields) {
        const Ran r = command({"eval", model, "--suite", write_file("unshown.jsonl", R"({"task": "t", "type": "exact", "prompt": "p", "answer": "a", )" + fields + "}\n"), "-t", "1"});
        EXPECT_EQ(r.code, 1);
        EXPECT_EQ(r.out, "");
        const std::string begin = "gemma3n: " + folder().path() + "/unshown.jsonl: line 1: ";
        EXPECT_EQ(r.err.rfind(begin, 0), 0u) << r.err;
        EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
        return r.err.substr(std::min(begin.size(), r.err.size()));
    };
    write_file("noise.bin", "neither picture nor sound");
    EXPECT_NE(says(towered(), R"("image": "nowhere.png")").find("nowhere.png"), std::string::npos);
    EXPECT_NE(says(towered(), R"("image": "noise.bin")").find("noise.bin"), std::string::npos);
    EXPECT_NE(says(towered(), R"("audio": "noise.bin")").find("noise.bin"), std::string::npos);
    EXPECT_NE(says(towerless(), "\"image\": \"" + red() + "\"").find("picture"), std::string::npos);
}

TEST(EvalCommand, BadLinesAreNamedByNumber) {
    const auto says = [](const std::string& content) {
        const Ran r = command({"eval", tiny(), "--suite", write_file("bad.jsonl", content)});
        EXPECT_EQ(r.code, 1);
        EXPECT_EQ(r.out, "");
        return r.err;
    };
    const std::string path = folder().path() + "/bad.jsonl";
    EXPECT_EQ(says(std::string(good) + "oops\n"), "gemma3n: " + path + ": line 4: is no JSON object: expected one question a line, like {\"task\": \"capitals\", \"type\": \"choice\", ...}\n");
    EXPECT_EQ(says("\n{\"task\": \"t\"}\n"), "gemma3n: " + path + ": line 2: field 'type' is missing: expected it on every line of this type\n");
    EXPECT_EQ(says("\n\n"), "gemma3n: " + path + ": has no questions: expected one JSON object a line\n");
    EXPECT_EQ(says(""), "gemma3n: " + path + ": is empty\n");
}

TEST(EvalCommand, NeedsModelsAndASuite) {
    EXPECT_EQ(command({"eval", tiny()}).code, 2);
    EXPECT_EQ(command({"eval", "--suite", "x"}).code, 2);
    const Ran r = command({"eval", tiny(), folder().path() + "/none.gguf", "--suite", write_file("suite.jsonl", good)});
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.out, "") << "no half table";
}

}  // namespace
}  // namespace gemma3n::test
