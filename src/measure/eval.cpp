#include "measure/eval.h"

#include "base/result.h"
#include "gemma3n/attach.h"
#include "measure/log_prob.h"
#include "measure/word_errors.h"
#include "model/slice.h"
#include "runtime/engine_impl.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>

namespace gemma3n::measure {

namespace {

constexpr int64_t most_rows = 64;  // rows with logits in one step

std::string trimmed(std::string_view s) {
    const size_t begin = s.find_first_not_of(" \t\r\n"), end = s.find_last_not_of(" \t\r\n");
    return begin == std::string_view::npos ? "" : std::string(s.substr(begin, end - begin + 1));
}

Result<std::vector<int>> prompt_ids(Engine& engine, const Question& q) {
    return q.chat ? engine.encode_chat({{"user", q.prompt}}, true) : engine.tokenize(q.prompt);
}

// A sequence from its beginning, in the size that reads the prompt.
Status begin(Session& session, const EvalSize& size) {
    session.clear();
    return session.set_size(size.prompt);
}

// Sum of the log-probabilities of ids[first ..], each given all before it. The row of ids[i] makes that of ids[i + 1].
Result<double> log_probability(Engine& engine, Session& session, const EvalSize& size, const std::vector<int>& ids, size_t first) {
    TRY(begin(session, size));
    if (first > 1) {
        ASSIGN([[maybe_unused]] const auto last, session.append(std::span(ids).first(first - 1)));
    }
    std::vector<StepRow> rows;
    double sum = 0;
    const size_t n_rows = ids.size() - 1, change = size.answer ? std::min(first - 1 + static_cast<size_t>(size.switch_after), n_rows) : n_rows;
    for (size_t at = first - 1; at < n_rows;) {
        if (at == change) TRY(session.set_size(*size.answer));
        const auto piece = static_cast<size_t>(engine.rows_that_fit(most_rows, true, session.context_tokens()));
        const size_t end = std::min(at + piece, at < change ? change : n_rows);
        rows.clear();
        for (size_t i = at; i < end; i++) rows.push_back({&session, ids[i], nullptr, true});
        ASSIGN(const StepLogits logits, engine.step(rows));
        for (size_t i = at; i < end; i++) {
            const auto row = logits.row(static_cast<int64_t>(i - at));
            sum += row[static_cast<size_t>(ids[i + 1])] - summarise(row).log_sum_exp;
        }
        at = end;
    }
    if (!std::isfinite(sum)) return fail(Code::bad_file, "%s: gives logits that are not finite", engine.info().path.c_str());
    return sum;
}

Status choose(Engine& engine, Session& session, const EvalSize& size, const Question& q, TaskScore& score) {
    ASSIGN(const std::vector<int> prompt, prompt_ids(engine, q));
    std::vector<std::vector<int>> whole;
    size_t seam = prompt.size();  // where the first of the continuations parts from the prompt: all are scored from there
    for (const std::string& a : q.answers) {
        if (q.chat) {
            ASSIGN(const std::vector<int> more, engine.tokenize(a, {.add_bos = false}));
            whole.push_back(prompt);
            whole.back().insert(whole.back().end(), more.begin(), more.end());
        } else {  // as one text: a piece may reach over the seam
            ASSIGN(std::vector<int> ids, engine.tokenize(q.prompt + a));
            const auto parts = std::mismatch(prompt.begin(), prompt.end(), ids.begin(), ids.end()).first;
            seam = std::min(seam, static_cast<size_t>(parts - prompt.begin()));
            whole.push_back(std::move(ids));
        }
    }
    size_t best = 0, best_per_byte = 0;
    double highest = -INFINITY, highest_per_byte = -INFINITY;
    for (size_t i = 0; i < whole.size(); i++) {
        ASSIGN(const double sum, log_probability(engine, session, size, whole[i], seam));
        const double per_byte = sum / static_cast<double>(q.answers[i].size());
        if (sum > highest) highest = sum, best = i;
        if (per_byte > highest_per_byte) highest_per_byte = per_byte, best_per_byte = i;
    }
    score.right += static_cast<int64_t>(best) == q.right;
    score.right_per_byte += static_cast<int64_t>(best_per_byte) == q.right;
    return {};
}

Result<Attached> attached(Engine& engine, const QuestionFile& file) {
    const AttachOptions o;
    switch (file.kind) {
        case MediaKind::image: {
            ASSIGN(const Image image, read_image(file.path));
            return attach_image(engine, image, o);
        }
        case MediaKind::sound: {
            ASSIGN(const auto reader, SoundReader::open(file.path));
            return attach_sound(engine, *reader, o);
        }
        case MediaKind::video: break;
    }
    ASSIGN(const auto reader, VideoReader::open(file.path, video_options(engine, o)));
    return attach_video(engine, *reader, o);
}

// Media, then the text.
Result<Prompt> prompt_with_media(Engine& engine, const Question& q) {
    std::vector<Part> parts;
    for (const QuestionFile& f : q.media) {
        const auto media = attached(engine, f);
        if (!media) return fail(media.error().code, "%s: %s", q.where.c_str(), media.error().message.c_str());
        for (const Medium& m : media->media) parts.push_back(m.part);
    }
    parts.push_back({q.prompt, nullptr});
    return q.chat ? engine.chat_prompt({{"user", "", parts}}, true) : engine.text_prompt(parts);
}

bool is_json_object(const std::string& s) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    return parser.parse(simdjson::padded_string(s)).get(object) == simdjson::SUCCESS;
}

void count(const Question& q, const std::string& got, TaskScore& score) {
    score.right += std::any_of(q.answers.begin(), q.answers.end(), [&](const std::string& right) { return trimmed(right) == got; });
    score.objects += q.type == QuestionType::json && is_json_object(got);
    if (q.type != QuestionType::words) return;
    WordErrors nearest = word_errors(got, q.answers[0]);
    for (const std::string& a : q.answers) {
        if (const WordErrors w = word_errors(got, a); w.wrong < nearest.wrong) nearest = w;
    }
    score.words += nearest.words;
    score.wrong_words += nearest.wrong;
}

// Greedily, from the prompt on. Where the size changes between prompt and answer, the prompt's last token is the other's: it makes the first token.
Result<Answer> generate(Session& session, const EvalSize& size, const Prompt& prompt, GenerateOptions o) {
    TRY(begin(session, size));
    if (!size.answer) return session.generate(prompt, o);
    if (size.switch_after == 0) {
        Prompt before = prompt;  // its last token is of the text
        before.ids.pop_back();
        if (!before.ids.empty()) {
            ASSIGN([[maybe_unused]] const auto last, session.append(before));
        }
        TRY(session.set_size(*size.answer));
        return session.generate(std::span(prompt.ids).last(1), o);
    }
    Status changed;
    int64_t n = 0;
    const auto on_text = std::move(o.on_text);
    o.on_text = [&](const std::string& t, int id) {
        if (++n == size.switch_after) changed = session.set_size(*size.answer);
        return changed && on_text(t, id);
    };
    ASSIGN(Answer a, session.generate(prompt, o));
    TRY(changed);
    return a;
}

Result<std::string> answer(Session& session, const EvalSize& size, const Question& q, const Prompt& prompt) {
    GenerateOptions o;
    o.sampling.temperature = 0;
    o.max_tokens = q.max_tokens;
    std::string so_far;
    // plain text goes on for ever: its answer ends with the line
    o.on_text = [&](const std::string& t, int) { return so_far += t, q.chat || trimmed(so_far).empty() || so_far.find('\n', so_far.find_first_not_of(" \t\r\n")) == std::string::npos; };
    ASSIGN(const Answer a, generate(session, size, prompt, o));
    std::string got = trimmed(a.text);
    if (!q.chat) got = trimmed(std::string_view(got).substr(0, got.find('\n')));
    return got;
}

TaskScore& score_of(std::vector<TaskScore>& scores, const Question& q) {
    auto score = std::find_if(scores.begin(), scores.end(), [&](const TaskScore& s) { return s.task == q.task && s.type == q.type; });
    if (score == scores.end()) score = scores.insert(scores.end(), {q.task, q.type});
    return *score;
}

Status check_size(Engine& engine, const EvalSize& size) {
    const model::Config& config = engine.impl().config;
    if (!size.answer || model::shares_cache(config, size.prompt, *size.answer)) return {};
    return fail(Code::bad_argument, "size '%s' cannot go on where size '%s' has read the prompt: expected two that keep the same of the layers that own keys and values (docs/elastic.md)",
                shown(size.answer->name).c_str(), shown(size.prompt.name).c_str());
}

}  // namespace

std::string EvalSize::name() const {
    if (!answer) return prompt.name;
    return prompt.name + ">" + answer->name + (switch_after > 0 ? "@" + std::to_string(switch_after) : "");
}

Result<std::vector<std::vector<TaskScore>>> evaluate(Engine& engine, std::span<const Question> questions, std::span<const EvalSize> sizes, const std::function<bool(double done)>& progress,
                                                     const std::function<void(const Said&)>& on_said) {
    for (const EvalSize& size : sizes) TRY(check_size(engine, size));
    std::vector<std::vector<TaskScore>> scores(sizes.size());
    ASSIGN(const std::unique_ptr<Session> session, engine.new_session());
    for (size_t i = 0; i < questions.size(); i++) {
        const Question& q = questions[i];
        session->clear();  // the question before lets go of its media
        Prompt prompt;
        if (q.type != QuestionType::choice) {
            ASSIGN(prompt, prompt_with_media(engine, q));
        }
        for (size_t k = 0; k < sizes.size(); k++) {
            const double done = (static_cast<double>(i) + static_cast<double>(k) / static_cast<double>(sizes.size())) / static_cast<double>(questions.size());
            if (progress && !progress(done)) return fail(Code::cancelled, "the questions were cancelled after %zu of %zu", i, questions.size());
            TaskScore& score = score_of(scores[k], q);
            score.n++;
            if (q.type == QuestionType::choice) {
                TRY(choose(engine, *session, sizes[k], q, score));
                continue;
            }
            ASSIGN(const std::string got, answer(*session, sizes[k], q, prompt));
            count(q, got, score);
            if (on_said) on_said({i, k, got});
        }
    }
    return scores;
}

}  // namespace gemma3n::measure
