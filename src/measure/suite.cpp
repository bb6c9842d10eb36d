#include "measure/suite.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>

namespace gemma3n::measure {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

// One line's object, read field by field; the sentence of the first thing that is wrong is kept.
class Reader {
public:
    Reader(const object& o, const std::string& where) : o_(o), where_(where) {}

    bool string(const char* field, bool required, std::string& out) {
        const element* e = find(field, required);
        if (!e) return !error_;
        std::string_view s;
        if (e->get(s) != simdjson::SUCCESS || s.empty()) return wrong(field, "a string that is not empty");
        out = s;
        return true;
    }
    bool strings(const char* field, size_t least, std::vector<std::string>& out) {
        const element* e = find(field, true);
        if (!e) return false;
        const std::string expected = text("a list of %zu or more strings that are not empty", least);
        simdjson::dom::array list;
        if (e->get(list) != simdjson::SUCCESS) return wrong(field, expected);
        for (const element item : list) {
            std::string_view s;
            if (item.get(s) != simdjson::SUCCESS || s.empty()) return wrong(field, expected);
            out.emplace_back(s);
        }
        return out.size() >= least || wrong(field, expected);
    }
    bool is_string(const char* field) const {
        const element* e = find_quietly(field);
        return e && e->is_string();
    }
    bool whole(const char* field, bool required, int64_t low, int64_t high, int64_t& out) {
        const element* e = find(field, required);
        if (!e) return !error_;
        int64_t v = 0;
        if (e->get(v) != simdjson::SUCCESS || v < low || v > high) return wrong(field, text("a whole number, %lld to %lld", static_cast<long long>(low), static_cast<long long>(high)));
        out = v;
        return true;
    }
    bool wrong(const char* field, const std::string& expected) {
        const element* e = find_quietly(field);
        error_ = fail(Code::bad_file, "%s: field '%s' is %s: expected %s", where_.c_str(), field, e ? shown(simdjson::minify(*e)).c_str() : "missing", expected.c_str());
        return false;
    }
    // No field but these.
    bool only(std::initializer_list<std::string_view> known) {
        for (const auto field : o_) {
            if (std::find(known.begin(), known.end(), field.key) != known.end()) continue;
            std::string list;
            for (const std::string_view k : known) list += (list.empty() ? "" : ", ") + std::string(k);
            error_ = fail(Code::bad_file, "%s: field '%s' is not known: expected %s", where_.c_str(), shown(field.key).c_str(), list.c_str());
            return false;
        }
        return true;
    }
    const std::optional<Error>& error() const { return error_; }

private:
    const element* find_quietly(const char* field) const {
        return o_.at_key(field).get(found_) == simdjson::SUCCESS ? &found_ : nullptr;
    }
    const element* find(const char* field, bool required) {
        const element* e = find_quietly(field);
        if (!e && required) wrong(field, "it on every line of this type");
        return e;
    }
    const object& o_;
    const std::string& where_;
    mutable element found_;
    std::optional<Error> error_;
};

bool read_question(Reader& r, Question& q) {
    std::string type, format = "raw";
    if (!r.string("task", true, q.task) || !r.string("type", true, type) || !r.string("prompt", true, q.prompt) || !r.string("format", false, format)) return false;
    if (format != "raw" && format != "chat") return r.wrong("format", "\"raw\" or \"chat\"");
    q.chat = format == "chat";
    if (type == "choice") {
        q.type = QuestionType::choice;
        return r.only({"task", "type", "format", "prompt", "choices", "answer"}) && r.strings("choices", 2, q.answers) &&
               r.whole("answer", true, 0, static_cast<int64_t>(q.answers.size()) - 1, q.right);
    }
    if (type != "exact") return r.wrong("type", "\"choice\" or \"exact\"");
    q.type = QuestionType::exact;
    if (!r.only({"task", "type", "format", "prompt", "answer", "max_tokens"}) || !r.whole("max_tokens", false, 1, 1 << 20, q.max_tokens)) return false;
    if (!r.is_string("answer")) return r.strings("answer", 1, q.answers);
    q.answers.resize(1);
    return r.string("answer", true, q.answers[0]);
}

}  // namespace

Result<std::vector<Question>> read_suite(std::string_view content, const std::string& name) {
    std::vector<Question> questions;
    simdjson::dom::parser parser;
    int line = 0;
    for (size_t at = 0; at < content.size();) {
        const size_t end = std::min(content.find('\n', at), content.size());
        const std::string_view s = content.substr(at, end - at);
        at = end + 1;
        line++;
        if (s.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const std::string where = text("%s: line %d", name.c_str(), line);
        object o;
        if (const auto error = parser.parse(simdjson::padded_string(s)).get(o); error != simdjson::SUCCESS) {
            return fail(Code::bad_file, "%s: is no JSON object: expected one question a line, like {\"task\": \"capitals\", \"type\": \"choice\", ...}", where.c_str());
        }
        Reader reader(o, where);
        Question q;
        if (!read_question(reader, q)) return *reader.error();
        questions.push_back(std::move(q));
    }
    if (questions.empty()) return fail(Code::bad_file, "%s: has no questions: expected one JSON object a line", name.c_str());
    return questions;
}

}  // namespace gemma3n::measure
