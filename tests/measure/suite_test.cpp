// Suites: fields, and lines that are wrong, named by their number.
#include "measure/suite.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace gemma3n::measure {
namespace {

TEST(Suite, ReadsBothTypes) {
    const auto q = read_suite(R"({"task": "t", "type": "choice", "prompt": "p", "choices": ["a", "b", "c"], "answer": 2})"
                              "\n\n  \r\n"
                              R"({"task": "u", "type": "exact", "format": "chat", "prompt": "q", "answer": ["x", "y"], "max_tokens": 5})"
                              "\n"
                              R"({"answer": "z", "task": "u", "type": "exact", "prompt": "r"})",
                              "s");
    ASSERT_TRUE(q) << q.error().message;
    ASSERT_EQ(q->size(), 3u);
    EXPECT_EQ((*q)[0].type, QuestionType::choice);
    EXPECT_EQ((*q)[0].answers, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ((*q)[0].right, 2);
    EXPECT_FALSE((*q)[0].chat);
    EXPECT_EQ((*q)[1].type, QuestionType::exact);
    EXPECT_TRUE((*q)[1].chat);
    EXPECT_EQ((*q)[1].max_tokens, 5);
    EXPECT_EQ((*q)[1].answers, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ((*q)[2].answers, std::vector<std::string>{"z"});
    EXPECT_EQ((*q)[2].max_tokens, 64);
}

TEST(Suite, BadLinesAreNamedByNumber) {
    const auto says = [](const std::string& line) {
        const std::string good = R"({"task": "t", "type": "exact", "prompt": "p", "answer": "a"})";
        const auto q = read_suite(good + "\n\n" + line + "\n" + good, "f.jsonl");
        return q ? "nothing" : q.error().message;
    };
    const std::string object = ": is no JSON object: expected one question a line, like {\"task\": \"capitals\", \"type\": \"choice\", ...}";
    EXPECT_EQ(says("[1]"), "f.jsonl: line 3" + object);
    EXPECT_EQ(says("{\"task\": "), "f.jsonl: line 3" + object);
    EXPECT_EQ(says("{} {}"), "f.jsonl: line 3" + object);
    EXPECT_EQ(says("{}"), "f.jsonl: line 3: field 'task' is missing: expected it on every line of this type");
    EXPECT_EQ(says(R"({"task": "", "type": "exact"})"), "f.jsonl: line 3: field 'task' is \"\": expected a string that is not empty");
    EXPECT_EQ(says(R"({"task": "t", "type": "essay", "prompt": "p"})"), "f.jsonl: line 3: field 'type' is \"essay\": expected \"choice\", \"exact\", \"words\" or \"json\"");
    EXPECT_EQ(says(R"({"task": "t", "type": "exact", "prompt": "p", "answer": "a", "format": "x"})"), "f.jsonl: line 3: field 'format' is \"x\": expected \"raw\" or \"chat\"");
    EXPECT_EQ(says(R"({"task": "t", "type": "exact", "prompt": "p"})"), "f.jsonl: line 3: field 'answer' is missing: expected it on every line of this type");
    EXPECT_EQ(says(R"({"task": "t", "type": "exact", "prompt": "p", "answer": []})"), "f.jsonl: line 3: field 'answer' is []: expected a list of 1 or more strings that are not empty");
    EXPECT_EQ(says(R"({"task": "t", "type": "exact", "prompt": "p", "answer": "a", "max_tokens": 0})"), "f.jsonl: line 3: field 'max_tokens' is 0: expected a whole number, 1 to 1048576");
    EXPECT_EQ(says(R"({"task": "t", "type": "exact", "prompt": "p", "answer": "a", "choices": ["a"]})"),
              "f.jsonl: line 3: field 'choices' is not known: expected task, type, format, image, audio, video, prompt, answer, max_tokens");
    EXPECT_EQ(says(R"({"task": "t", "type": "choice", "prompt": "p", "choices": ["a"], "answer": 0})"), "f.jsonl: line 3: field 'choices' is [\"a\"]: expected a list of 2 or more strings that are not empty");
    EXPECT_EQ(says(R"({"task": "t", "type": "choice", "prompt": "p", "choices": ["a", 7], "answer": 0})"), "f.jsonl: line 3: field 'choices' is [\"a\",7]: expected a list of 2 or more strings that are not empty");
    EXPECT_EQ(says(R"({"task": "t", "type": "choice", "prompt": "p", "choices": ["a", "b"], "answer": 2})"), "f.jsonl: line 3: field 'answer' is 2: expected a whole number, 0 to 1");
    EXPECT_EQ(says(R"({"task": "t", "type": "choice", "prompt": "p", "choices": ["a", "b"], "answer": "b"})"), "f.jsonl: line 3: field 'answer' is \"b\": expected a whole number, 0 to 1");
}

TEST(Suite, FilesLieBesideTheSuite) {
    const std::string folder = testing::TempDir() + "/g3n-suite" + std::to_string(getpid());
    std::filesystem::create_directories(folder + "/media");
    for (const char* f : {"/media/a.png", "/media/b.png", "/c.wav", "/d.avi"}) std::ofstream(folder + f) << "x";
    const auto read = [&](const std::string& line) { return read_suite(line, folder + "/s.jsonl"); };
    const auto q = read(R"({"task": "t", "type": "words", "video": "d.avi", "audio": ["c.wav"], "image": ["media/b.png", "media/a.png"], "prompt": "p", "answer": "a"})"
                        "\n"
                        R"({"task": "t", "type": "json", "audio": ")" + folder + R"(/c.wav", "prompt": "p", "answer": ["a", "b"]})");
    ASSERT_TRUE(q) << q.error().message;
    EXPECT_EQ((*q)[0].type, QuestionType::words);
    EXPECT_EQ((*q)[1].type, QuestionType::json);
    EXPECT_EQ((*q)[1].where, folder + "/s.jsonl: line 2");
    std::vector<std::string> paths;
    for (const auto& f : (*q)[0].media) paths.push_back(f.path);
    EXPECT_EQ(paths, (std::vector<std::string>{folder + "/media/b.png", folder + "/media/a.png", folder + "/c.wav", folder + "/d.avi"})) << "pictures, sounds, videos";
    EXPECT_EQ((*q)[0].media[2].kind, MediaKind::sound);
    EXPECT_EQ((*q)[0].media[3].kind, MediaKind::video);
    EXPECT_EQ((*q)[1].media[0].path, folder + "/c.wav");

    const auto says = [&](const std::string& fields) {
        const auto bad = read(R"({"task": "t", "type": "exact", "prompt": "p", "answer": "a", )" + fields + "}");
        return bad ? "nothing" : bad.error().message.substr(folder.size() + 1);
    };
    EXPECT_EQ(says(R"("image": 3)"), "s.jsonl: line 1: field 'image' is 3: expected a list of 1 or more strings that are not empty");
    EXPECT_EQ(says(R"("audio": [])"), "s.jsonl: line 1: field 'audio' is []: expected a list of 1 or more strings that are not empty");
    EXPECT_EQ(says(R"("video": "")"), "s.jsonl: line 1: field 'video' is \"\": expected a string that is not empty");
    const std::string missing = says(R"("image": ["c.wav", "no.png"])");
    EXPECT_EQ(missing.rfind("s.jsonl: line 1: " + folder + "/no.png", 0), 0u) << missing;
    EXPECT_EQ(read(R"({"task": "t", "type": "choice", "prompt": "p", "choices": ["a", "b"], "answer": 0, "image": "media/a.png"})").error().message.substr(folder.size() + 1),
              "s.jsonl: line 1: field 'image' is not known: expected task, type, format, prompt, choices, answer");
}

TEST(Suite, EmptyFiles) { EXPECT_EQ(read_suite("\n \n", "f").error().message, "f: has no questions: expected one JSON object a line"); }

TEST(Suite, OurOwnIsGood) {
    std::ifstream in(std::string(G3N_SOURCE_DIR) + "/tests/data/suite.jsonl");
    const std::string content((std::istreambuf_iterator<char>(in)), {});
    const auto q = read_suite(content, "suite.jsonl");
    ASSERT_TRUE(q) << q.error().message;
    EXPECT_GE(q->size(), 40u);
}

}  // namespace
}  // namespace gemma3n::measure
