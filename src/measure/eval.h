// A suite's questions put to one model.
#pragma once

#include "gemma3n/engine.h"
#include "measure/statistics.h"
#include "measure/suite.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace gemma3n::measure {

struct TaskScore {
    std::string task;
    QuestionType type = QuestionType::choice;
    int64_t n = 0;
    int64_t right = 0;            // by the sum of log-probabilities, or by exact match
    int64_t right_per_byte = 0;   // choice: by that sum over the bytes of the continuation
    int64_t words = 0;            // words: of the accepted answers that are nearest,
    int64_t wrong_words = 0;      // and insertions, deletions and changes that lead from them to what was said
    int64_t objects = 0;          // json: answers that are one JSON object
};

// Tasks in the order in which they first appear; a task that has questions of several types is several. False from progress cancels. A file
// that cannot be shown or played is an error that names its line.
Result<std::vector<TaskScore>> evaluate(Engine& engine, std::span<const Question> questions, const std::function<bool(size_t done)>& progress);

}  // namespace gemma3n::measure
