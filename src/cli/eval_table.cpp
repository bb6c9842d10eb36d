#include "cli/eval_table.h"

#include "base/result.h"
#include "cli/json.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

namespace gemma3n::cli {

namespace {

using measure::QuestionType;
using measure::TaskScore;

constexpr size_t widest = 100;

// So many of so many.
struct Share {
    int64_t part, whole;
    bool of_questions = true;  // has an interval: questions are drawn one by one, the words of an answer are not

    double value() const { return static_cast<double>(part) / static_cast<double>(std::max<int64_t>(whole, 1)); }
    std::string count() const { return text("%lld/%lld", static_cast<long long>(part), static_cast<long long>(whole)); }
};

struct Row {
    std::string label;
    Share share;
};

// One for each task, and one more for what else its type counts.
std::vector<Row> rows_of(const std::vector<TaskScore>& tasks) {
    std::vector<Row> rows;
    for (const TaskScore& t : tasks) {
        rows.push_back({t.task + ", " + (t.type == QuestionType::choice ? "choice" : "exact"), {t.right, t.n}});
        if (t.type == QuestionType::choice) rows.push_back({t.task + ", choice per byte", {t.right_per_byte, t.n}});
        if (t.type == QuestionType::json) rows.push_back({t.task + ", JSON", {t.objects, t.n}});
        if (t.type == QuestionType::words) rows.push_back({t.task + ", words wrong", {t.wrong_words, t.words, false}});
    }
    return rows;
}

// As it is printed; the first lines are its heads.
struct Printed {
    std::string model, type, size;
    std::vector<std::string> cells;
    size_t width = 0;

    bool with(const Printed& other) const { return model == other.model && type == other.type; }
};

Printed printed(const EvalColumn& c, bool alone) {
    Printed p{c.model, c.type, c.size.name(), {}, 0};
    const std::vector<Row> rows = rows_of(c.tasks);
    size_t digits = 0;
    for (const Row& r : rows) digits = std::max(digits, r.share.count().size());
    for (const Row& r : rows) {
        std::string cell = text("%*s  %5.1f %%", static_cast<int>(digits), r.share.count().c_str(), 100 * r.share.value());
        if (alone && r.share.of_questions) {
            const measure::Interval i = measure::interval_95(r.share.part, r.share.whole);
            cell += text("  (%.1f to %.1f)", 100 * i.low, 100 * i.high);
        }
        p.cells.push_back(std::move(cell));
    }
    p.width = p.size.size();
    for (const std::string& s : p.cells) p.width = std::max(p.width, s.size());
    return p;
}

// The last part of a path is enough where it is one model's only.
void shorten(std::vector<Printed>& all) {
    const auto last_part = [](const std::string& model) {
        const std::filesystem::path path(model);
        return (path.has_filename() ? path : path.parent_path()).filename().string();
    };
    std::map<std::string, std::set<std::string>> models;
    for (const Printed& p : all) models[last_part(p.model)].insert(p.model);
    for (Printed& p : all)
        if (const std::string name = last_part(p.model); models[name].size() == 1) p.model = name;
}

using Block = std::vector<Printed>;

std::vector<Block> blocks_of(const std::vector<Printed>& all, size_t left) {
    std::vector<Block> blocks;
    size_t used = 0;
    for (size_t i = 0; i < all.size();) {
        size_t end = i, width = 0;
        for (; end < all.size() && all[end].with(all[i]); end++) width += 2 + all[end].width;
        width = std::max(width, 2 + std::max(all[i].model.size(), all[i].type.size()));
        if (blocks.empty() || used + width > widest) blocks.emplace_back(), used = left;
        for (; i < end; i++) {
            if (used + 2 + all[i].width > widest && !blocks.back().empty()) blocks.emplace_back(), used = left;
            blocks.back().push_back(all[i]);
            used += 2 + all[i].width;
        }
        used = std::max(used, left + width);
    }
    return blocks;
}

// Room for a model's name over its columns.
void fit_heads(Block& b) {
    for (size_t i = 0; i < b.size();) {
        size_t end = i + 1, span = b[i].width;
        for (; end < b.size() && b[end].with(b[i]); end++) span += 2 + b[end].width;
        const size_t needed = std::max(b[i].model.size(), b[i].type.size());
        if (needed > span) b[end - 1].width += needed - span;
        i = end;
    }
}

void add_line(std::string& out, const std::string& label, size_t left, const Block& b, const std::function<std::string(size_t)>& cell) {
    std::string line = text("%-*s", static_cast<int>(left), label.c_str());
    size_t at = left;
    for (size_t i = 0; i < b.size(); i++) {
        line.resize(std::max(at + 2, line.size()), ' ');  // an empty cell lies under a head that reaches over it
        line += cell(i);
        at += 2 + b[i].width;
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string counts(int64_t right, int64_t n) {
    const measure::Interval i = measure::interval_95(right, n);
    return "{\"right\": " + json_number(right) + ", \"share\": " + json_number(static_cast<double>(right) / static_cast<double>(n)) + ", \"low_95\": " + json_number(i.low) + ", \"high_95\": " + json_number(i.high) + "}";
}

std::string json_task(const TaskScore& t) {
    const bool choice = t.type == QuestionType::choice;
    std::string also;
    if (choice) also = ", \"per_byte\": " + counts(t.right_per_byte, t.n);
    if (t.type == QuestionType::json) also = ", \"json\": " + counts(t.objects, t.n);
    if (t.type == QuestionType::words) {
        also = ", \"words\": " + json_number(t.words) + ", \"wrong_words\": " + json_number(t.wrong_words) + ", \"word_error_rate\": " + json_number(Share{t.wrong_words, t.words}.value());
    }
    return "{\"task\": " + json_string(t.task) + ", \"type\": \"" + measure::type_name(t.type) + "\", \"n\": " + json_number(t.n) + (choice ? ", \"sum\": " : ", \"match\": ") + counts(t.right, t.n) + also + "}";
}

}  // namespace

std::string eval_table(const std::vector<EvalColumn>& columns) {
    const bool alone = columns.size() == 1;
    std::vector<Printed> all;
    for (const EvalColumn& c : columns) all.push_back(printed(c, alone));
    shorten(all);
    const std::vector<Row> rows = rows_of(columns[0].tasks);
    size_t left = 5;
    for (const Row& r : rows) left = std::max(left, r.label.size());
    std::string out;
    for (Block& b : blocks_of(all, left)) {
        fit_heads(b);
        if (!out.empty()) out += "\n";
        const auto first_of = [&](size_t i, std::string Printed::* what) { return i > 0 && b[i].with(b[i - 1]) ? "" : b[i].*what; };
        add_line(out, "model", left, b, [&](size_t i) { return first_of(i, &Printed::model); });
        if (!columns[0].type.empty()) add_line(out, "type", left, b, [&](size_t i) { return first_of(i, &Printed::type); });
        add_line(out, "size", left, b, [&](size_t i) { return b[i].size; });
        add_line(out, "task", left, b, [&](size_t) { return alone ? "right, and the 95 % interval" : "right"; });
        for (size_t r = 0; r < rows.size(); r++) add_line(out, rows[r].label, left, b, [&](size_t i) { return b[i].cells[r]; });
    }
    return out;
}

std::string eval_json(const std::vector<EvalColumn>& columns, const std::string& suite, const EvalOptions& o) {
    std::string models;
    for (const EvalColumn& c : columns) {
        std::string tasks;
        for (const TaskScore& t : c.tasks) tasks += (tasks.empty() ? "\n  " : ",\n  ") + json_task(t);
        models += (models.empty() ? "\n {" : ",\n {") + std::string("\"model\": ") + json_string(c.model);
        if (!c.type.empty()) models += ", \"type\": " + json_string(c.type);
        models += ", \"size\": " + json_string(c.size.prompt.name);
        if (c.size.answer) models += ", \"decode_size\": " + json_string(c.size.answer->name) + ", \"switch_after\": " + json_number(c.size.switch_after);
        models += ", \"tasks\": [" + tasks + "]}";
    }
    return Json().add("suite", suite).add("activations", o.model.activations).raw("models", "[" + models + "]").str() + "\n";
}

}  // namespace gemma3n::cli
