// eval: the questions of a suite, put to one or several models.
#include "measure/eval.h"

#include "base/file.h"
#include "base/result.h"
#include "cli/attachments.h"
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

double word_error_rate(const TaskScore& t) { return static_cast<double>(t.wrong_words) / static_cast<double>(std::max<int64_t>(t.words, 1)); }

std::string share(int64_t right, int64_t n) {
    const measure::Interval i = measure::interval_95(right, n);
    return text("%lld/%lld  %5.1f %%  (%.1f to %.1f)", static_cast<long long>(right), static_cast<long long>(n), 100.0 * static_cast<double>(right) / static_cast<double>(n), 100 * i.low, 100 * i.high);
}

// A row for each model and task, and one more for what else a type counts.
void table(const std::vector<ModelScores>& all) {
    std::vector<std::array<std::string, 3>> rows{{"model", "task", "right, and the 95 % interval"}};
    for (const ModelScores& m : all) {
        for (const TaskScore& t : m.tasks) {
            rows.push_back({m.path, t.task + ", " + (t.type == QuestionType::choice ? "choice" : "exact"), share(t.right, t.n)});
            if (t.type == QuestionType::choice) rows.push_back({m.path, t.task + ", choice per byte", share(t.right_per_byte, t.n)});
            if (t.type == QuestionType::json) rows.push_back({m.path, t.task + ", JSON", share(t.objects, t.n)});
            if (t.type == QuestionType::words) rows.push_back({m.path, t.task + ", words wrong", text("%lld/%lld  %5.1f %%", static_cast<long long>(t.wrong_words), static_cast<long long>(t.words), 100 * word_error_rate(t))});
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
            std::string also;
            if (choice) also = ", \"per_byte\": " + counts(t.right_per_byte, t.n);
            if (t.type == QuestionType::json) also = ", \"json\": " + counts(t.objects, t.n);
            if (t.type == QuestionType::words) also = ", \"words\": " + json_number(t.words) + ", \"wrong_words\": " + json_number(t.wrong_words) + ", \"word_error_rate\": " + json_number(word_error_rate(t));
            tasks += (tasks.empty() ? "\n  " : ",\n  ") + std::string("{\"task\": ") + json_string(t.task) + ", \"type\": \"" + measure::type_name(t.type) + "\", \"n\": " + json_number(t.n) +
                     (choice ? ", \"sum\": " : ", \"match\": ") + counts(t.right, t.n) + also + "}";
        }
        models += (models.empty() ? "\n {" : ",\n {") + std::string("\"model\": ") + json_string(m.path) + ", \"size\": " + json_string(m.size) + ", \"tasks\": [" + tasks + "]}";
    }
    printf("%s\n", Json().add("suite", o.suite).add("activations", o.model.activations).raw("models", "[" + models + "]").str().c_str());
}

// The most that one question takes, for a limit of memory.
MemoryNeeds needs_of(const std::vector<measure::Question>& questions) {
    MemoryNeeds most;
    for (const measure::Question& q : questions) {
        MediaFlags flags;
        for (const measure::QuestionFile& f : q.media) flags.files.push_back({f.kind, f.path});
        const MemoryNeeds n = media_needs(flags);
        most.image_side = n.image_side == 0 ? most.image_side : most.image_side == MemoryNeeds::own_side ? most.image_side : n.image_side;  // the model's own is no smaller than a frame's
        most.sound |= n.sound;
        most.pictures = std::max(most.pictures, n.pictures);
        most.clips = std::max(most.clips, n.clips);
        most.sound_seconds = std::max(most.sound_seconds, n.sound_seconds);
        most.decoder_bytes = std::max(most.decoder_bytes, n.decoder_bytes);
    }
    return most;
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
        auto engine = load(m, m.memory > 0 ? needs_of(*questions) : MemoryNeeds{});
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
