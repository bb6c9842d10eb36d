// A suite of questions: JSON objects, one a line. docs/measure.md documents the fields.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::measure {

enum class QuestionType {
    choice,  // the most probable of several continuations
    exact,   // a greedy answer, equal to one of the accepted ones
};

struct Question {
    std::string task;
    QuestionType type = QuestionType::choice;
    std::string prompt;
    std::vector<std::string> answers;  // choice: all continuations; exact: the accepted answers
    int64_t right = 0;                 // choice: the index of the right one
    int64_t max_tokens = 64;           // exact
    bool chat = false;                 // the prompt goes through the turn format
};

// `name` is the file's, for sentences; they name the line.
Result<std::vector<Question>> read_suite(std::string_view content, const std::string& name);

}  // namespace gemma3n::measure
