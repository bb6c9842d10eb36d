// eval: the questions of a suite, put to one or several models.
#include "measure/eval.h"

#include "base/file.h"
#include "base/result.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/progress.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace gemma3n::cli {

namespace {

using measure::QuestionType;
using measure::TaskScore;

struct ModelScores {
    std::string path, size;
    std::vector<TaskScore> tasks;
};

std::string share(int64_t right, int64_t n) {
    const measure::Interval i = measure::interval_95(right, n);
    return text("%lld/%lld  %5.1f %%  (%.1f to %.1f)", static_cast<long long>(right), static_cast<long long>(n), 100.0 * static_cast<double>(right) / static_cast<double>(n), 100 * i.low, 100 * i.high);
}

// A row for each model and task; choice has two counts, so two rows.
void table(const std::vector<ModelScores>& all) {
    std::vector<std::array<std::string, 3>> rows{{"model", "task", "right, and the 95 % interval"}};
    for (const ModelScores& m : all) {
        for (const TaskScore& t : m.tasks) {
            const bool choice = t.type == QuestionType::choice;
            rows.push_back({m.path, t.task + (choice ? ", choice" : ", exact"), share(t.right, t.n)});
            if (choice) rows.push_back({m.path, t.task + ", choice per byte", share(t.right_per_byte, t.n)});
        }
    }
    size_t width[2] = {};
    for (const auto& r : rows)
        for (int i : {0, 1}) width[i] = std::max(width[i], r[i].size());
    for (const auto& r : rows) printf("%-*s  %-*s  %s\n", static_cast<int>(width[0]), r[0].c_str(), static_cast<int>(width[1]), r[1].c_str(), r[2].c_str());
}

std::string counts(int64_t right, int64_t n) {
    const measure::Interval i = measure::interval_95(right, n);
    return "{\"right\": " + json_number(right) + ", \"share\": " + json_number(static_cast<double>(right) / static_cast<double>(n)) + ", \"low_95\": " + json_number(i.low) + ", \"high_95\": " + json_number(i.high) + "}";
}

void json(const std::vector<ModelScores>& all, const EvalOptions& o) {
    std::string models;
    for (const ModelScores& m : all) {
        std::string tasks;
        for (const TaskScore& t : m.tasks) {
            const bool choice = t.type == QuestionType::choice;
            tasks += (tasks.empty() ? "\n  " : ",\n  ") + std::string("{\"task\": ") + json_string(t.task) + ", \"type\": " + (choice ? "\"choice\"" : "\"exact\"") + ", \"n\": " + json_number(t.n) +
                     (choice ? ", \"sum\": " : ", \"match\": ") + counts(t.right, t.n) + (choice ? ", \"per_byte\": " + counts(t.right_per_byte, t.n) : "") + "}";
        }
        models += (models.empty() ? "\n {" : ",\n {") + std::string("\"model\": ") + json_string(m.path) + ", \"size\": " + json_string(m.size) + ", \"tasks\": [" + tasks + "]}";
    }
    printf("%s\n", Json().add("suite", o.suite).add("activations", o.model.activations).raw("models", "[" + models + "]").str().c_str());
}

}  // namespace

int eval(const EvalOptions& o) {
    auto file = File::open(o.suite);
    if (!file) return report(file.error());
    const auto questions = measure::read_suite({reinterpret_cast<const char*>((*file)->data()), (*file)->size()}, o.suite);
    if (!questions) return report(questions.error());
    std::vector<ModelScores> all;
    for (const std::string& path : o.models) {  // one model in memory at a time
        ModelOptions m = o.model;
        m.model = path;
        auto engine = load(m);
        if (!engine) return report(engine.error());
        Progress progress(path);
        const double n = static_cast<double>(questions->size());
        auto scores = measure::evaluate(**engine, *questions, [&](size_t done) { return progress.at(static_cast<double>(done) / n); });
        if (!scores) return report(scores.error());
        all.push_back({path, size_name(**engine), std::move(*scores)});
    }
    clear_progress();
    o.json ? json(all, o) : table(all);
    return finish_output();
}

}  // namespace gemma3n::cli
