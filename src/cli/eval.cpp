// eval: the questions of a suite, put to one or several models, in their sizes and in other types.
#include "measure/eval.h"

#include "base/file.h"
#include "base/output_file.h"
#include "base/result.h"
#include "cli/attachments.h"
#include "cli/eval_table.h"
#include "cli/json.h"
#include "cli/other_type.h"
#include "cli/progress.h"

#include <algorithm>
#include <filesystem>
#include <functional>

namespace gemma3n::cli {

namespace fs = std::filesystem;

namespace {

using Questions = std::vector<measure::Question>;

// The most that one question takes, for a limit of memory.
MemoryNeeds needs_of(const Questions& questions) {
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

// The suite in the folder of a model: suite/suite.jsonl beside a GGUF file or inside of a directory. Of several models the one that there is.
Result<std::string> own_suite(const std::vector<std::string>& models) {
    std::string found;
    std::error_code ec;
    for (const std::string& m : models) {
        if (!fs::exists(m, ec)) return File::open(m).error();
        const fs::path path = (fs::is_directory(m, ec) ? fs::path(m) : fs::path(m).parent_path()) / "suite" / "suite.jsonl";
        if (!fs::exists(path, ec) || (!found.empty() && fs::equivalent(path, found, ec))) continue;
        if (!found.empty()) return fail(Code::bad_argument, "%s and %s are two suites, each with a model: expected --suite to name one", found.c_str(), path.c_str());
        found = path.string();
    }
    if (!found.empty()) return found;
    return fail(Code::bad_argument, "%s: has no questions of its own (suite/suite.jsonl %s): expected --suite FILE", models[0].c_str(), fs::is_directory(models[0], ec) ? "in it" : "beside it");
}

// Options that do not go together; empty: all do.
std::string contradiction(const EvalOptions& o) {
    const auto fits = std::count(o.sizes.begin(), o.sizes.end(), "fit");
    if (fits > (!o.sizes.empty() && o.sizes[0] == "fit")) return "--size has 'fit' behind another: expected it first, and once";
    if (o.decode_size.empty()) return o.switch_after > 0 ? text("--switch-after is %lld, and nothing says which size comes then: expected --decode-size too", static_cast<long long>(o.switch_after)) : "";
    if (o.sizes.empty()) return "--decode-size is '" + shown(o.decode_size) + "', and nothing says which size reads the prompt: expected --size too";
    if (fits > 0) return "--size is 'fit', which chooses one size for all: expected names beside --decode-size";
    if (o.sizes.size() == 1 && o.sizes[0] == o.decode_size) return "--decode-size is '" + shown(o.decode_size) + "', as --size is: expected another";
    return "";
}

// What was asked for; else the whole, and what the file lists itself (published slices are of no file's own).
Result<std::vector<measure::EvalSize>> sizes_of(Engine& engine, const EvalOptions& o) {
    std::vector<measure::EvalSize> sizes;
    for (const std::string& name : o.sizes) {
        ASSIGN(Slice slice, engine.find_size(name == "fit" ? size_name(engine) : name));
        sizes.push_back({std::move(slice), std::nullopt, 0});
    }
    if (sizes.empty()) {
        ASSIGN(Slice whole, engine.find_size("full"));
        sizes.push_back({std::move(whole), std::nullopt, 0});
        for (const SizeInfo& s : engine.sizes()) {
            const bool known = std::any_of(sizes.begin(), sizes.end(), [&](const measure::EvalSize& e) { return e.prompt.name == s.slice.name; });
            if (s.billions == 0 && !known) sizes.push_back({s.slice, std::nullopt, 0});
        }
    }
    if (o.decode_size.empty()) return sizes;
    ASSIGN(const Slice answer, engine.find_size(o.decode_size));
    for (measure::EvalSize& s : sizes)
        if (s.prompt.name != answer.name) s.answer = answer, s.switch_after = o.switch_after;  // in a list its own size may stand for comparison
    return sizes;
}

class Evaluation {
public:
    Evaluation(const EvalOptions& o, const Questions& questions) : o_(o), questions_(questions) {
        needs_ = o.model.memory > 0 ? needs_of(questions) : MemoryNeeds{};
        if (!o.decode_size.empty()) needs_.prefill_size = o.sizes[0];
    }

    // A model at `path`, which the person called `name`, as it is or in one type: only that is in memory, and on the disk, at a time.
    Status measure(const std::string& name, const std::string& path, std::optional<format::Mix> mix) {
        const std::string type = mix ? std::string(format::name(*mix)) : "";
        OtherType other;
        if (mix) {
            const bool media = std::any_of(questions_.begin(), questions_.end(), [](const measure::Question& q) { return !q.media.empty(); });
            Progress progress("quantising " + name + " as " + type);
            TRY(other.make(path, *mix, media, o_.model.threads, [&](double fraction) { return progress.at(fraction); }));
        }
        ModelOptions m = o_.model;
        m.model = mix ? other.path() : path;
        const bool changes = !o_.decode_size.empty();
        m.size = changes ? o_.decode_size : o_.sizes.empty() ? "" : o_.sizes[0];
        for (size_t i = 1; i < o_.sizes.size(); i++) {
            MemoryNeeds needs = needs_;
            if (changes) needs.prefill_size = o_.sizes[i];
            TRY(check_size(m, needs, changes ? o_.decode_size : o_.sizes[i]));
        }
        ASSIGN(const auto engine, load(m, needs_));
        ASSIGN(const auto sizes, sizes_of(*engine, o_));
        Progress progress(mix ? name + " as " + type : name);
        const auto on_said = [&](const measure::Said& s) {
            const measure::Question& q = questions_[s.question];
            said_ += "{\"model\": " + json_string(name) + (type.empty() ? "" : ", \"type\": " + json_string(type)) + ", \"size\": " + json_string(sizes[s.size].name()) +
                     ", \"line\": " + json_number(q.line) + ", \"task\": " + json_string(q.task) + ", \"said\": " + json_string(std::string(s.text)) + "}\n";
        };
        ASSIGN(auto scores, measure::evaluate(*engine, questions_, sizes, [&](double done) { return progress.at(done); }, o_.answers.empty() ? nullptr : std::function<void(const measure::Said&)>(on_said)));
        for (size_t i = 0; i < sizes.size(); i++) columns_.push_back({name, type, sizes[i], std::move(scores[i])});
        return {};
    }

    const std::vector<EvalColumn>& columns() const { return columns_; }
    const std::string& said() const { return said_; }  // a JSON object a line

private:
    const EvalOptions& o_;
    const Questions& questions_;
    MemoryNeeds needs_;
    std::vector<EvalColumn> columns_;
    std::string said_;
};

}  // namespace

int eval(const EvalOptions& o) {
    if (const std::string wrong = contradiction(o); !wrong.empty()) return usage_error(wrong);
    std::vector<std::optional<format::Mix>> types;
    for (const std::string& type : o.types) {
        types.push_back(format::mix_from_name(type));
        if (!types.back()) return usage_error("type '" + shown(type) + "' is not known: expected " + format::mix_names());
    }
    if (types.empty()) types.push_back(std::nullopt);
    std::vector<std::string> paths;
    for (const std::string& model : o.models) {
        ModelOptions m = o.model;
        m.model = model;
        const auto path = model_path(m);
        if (!path) return report(path.error());
        paths.push_back(*path);
    }
    const auto suite = o.suite.empty() ? own_suite(paths) : Result<std::string>(o.suite);
    if (!suite) return report(suite.error());
    const auto file = File::open(*suite);
    if (!file) return report(file.error());
    const auto questions = measure::read_suite({reinterpret_cast<const char*>((*file)->data()), (*file)->size()}, *suite);
    if (!questions) return report(questions.error());
    std::vector<std::string> inputs = paths;
    inputs.push_back(*suite);
    for (const std::string& input : inputs) {
        std::error_code ec;
        if (!o.answers.empty() && fs::equivalent(o.answers, input, ec)) return usage_error("--answers is '" + shown(o.answers) + "', which is an input: expected another file");
    }
    OutputFile answers;  // opened before the work that fills it
    if (!o.answers.empty()) {
        if (const Status opened = answers.open(o.answers); !opened) return report(opened.error());
    }
    Evaluation evaluation(o, *questions);
    for (size_t i = 0; i < paths.size(); i++) {
        for (const auto& type : types) {
            if (const Status done = evaluation.measure(o.models[i], paths[i], type); !done) return report(done.error());
        }
    }
    clear_progress();
    if (!o.answers.empty()) {
        Status done = answers.write(evaluation.said().data(), evaluation.said().size());
        if (done) done = answers.close();
        if (!done) return report(done.error());
    }
    write_output(o.json ? eval_json(evaluation.columns(), *suite, o) : eval_table(evaluation.columns()));
    return finish_output();
}

}  // namespace gemma3n::cli
