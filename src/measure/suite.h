// A suite of questions: JSON objects, one a line, and the pictures, sounds and videos that they name. docs/measure.md documents the fields.
#pragma once

#include "base/result.h"
#include "gemma3n/media.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::measure {

enum class QuestionType {
    choice,  // the most probable of several continuations
    exact,   // a greedy answer, equal to one of the accepted ones
    words,   // likewise; its wrong words are counted too
    json,    // likewise; whether it is a JSON object is counted too
};
const char* type_name(QuestionType type);  // as a suite has it

// A file that a question shows or plays.
struct QuestionFile {
    MediaKind kind = MediaKind::image;
    std::string path;
};

struct Question {
    std::string task;
    QuestionType type = QuestionType::choice;
    std::string prompt;
    std::vector<std::string> answers;  // choice: all continuations; else the accepted answers
    int64_t right = 0;                 // choice: the index of the right one
    int64_t max_tokens = 64;           // of an answer
    bool chat = false;                 // the prompt goes through the turn format
    std::vector<QuestionFile> media;   // in front of the prompt: pictures, then sounds, then videos; not of a choice
    int64_t line = 0;                  // of the suite, from 1
    std::string where;                 // "suite.jsonl: line 3", for sentences
};

// `name` is the file's path: sentences name it and the line, and media lie relative to its folder. Each of their files has been opened once.
Result<std::vector<Question>> read_suite(std::string_view content, const std::string& name);

}  // namespace gemma3n::measure
