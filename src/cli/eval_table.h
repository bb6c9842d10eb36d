// What eval found out, as a table and as JSON: a row for each task, a column for each model, type and size.
#pragma once

#include "cli/commands.h"
#include "measure/eval.h"

#include <string>
#include <vector>

namespace gemma3n::cli {

struct EvalColumn {
    std::string model, type;  // as they were asked for; no type: the file as it is
    measure::EvalSize size;
    std::vector<measure::TaskScore> tasks;  // of every column the same ones
};

// Columns of one model and type stand together, under the last part of its path if that tells it from the others. Tables wider than 100 characters are broken into blocks, between models and types where that will do.
std::string eval_table(const std::vector<EvalColumn>& columns);
std::string eval_json(const std::vector<EvalColumn>& columns, const std::string& suite, const EvalOptions& o);

}  // namespace gemma3n::cli
