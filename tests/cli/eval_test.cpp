// eval: the table, its JSON, and suites that are wrong.
#include "cli/media_files.h"

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
