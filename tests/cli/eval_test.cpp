// eval: the table, its JSON, and suites that are wrong.
#include "cli/command.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace gemma3n::test {
namespace {

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
