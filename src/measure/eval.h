// A suite's questions put to one model, in one or several of its sizes.
#pragma once

#include "gemma3n/engine.h"
#include "measure/statistics.h"
#include "measure/suite.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gemma3n::measure {

// Which slices answer: one, or one that reads the prompt and begins and another that goes on over its keys and values.
struct EvalSize {
    Slice prompt;
    std::optional<Slice> answer;  // makes the answer's tokens, or a choice's probabilities,
    int64_t switch_after = 0;     // but for its first so many, which are still the prompt's

    std::string name() const;     // "full", "full>small", "full>small@4"
};

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

// What was generated for a question in one of the sizes; not of choices.
struct Said {
    size_t question, size;  // their indices
    std::string_view text;  // as it is compared with the accepted answers
};

// For each of the sizes the tasks in the order in which they first appear; a task that has questions of several types is several. Each question is
// put to all sizes in turn, so that its pictures and sounds go through the towers, which have no sizes, once. A size that has `answer` whose
// keys and values are not those of `prompt` is an error, before anything is asked. False from progress cancels. A file
// that cannot be shown or played is an error that names its line.
Result<std::vector<std::vector<TaskScore>>> evaluate(Engine& engine, std::span<const Question> questions, std::span<const EvalSize> sizes, const std::function<bool(double done)>& progress,
                                                     const std::function<void(const Said&)>& on_said = nullptr);

}  // namespace gemma3n::measure
