#include "measure/suite.h"

#include "base/file.h"

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
    // A string or a list of them; `required` or absent.
    bool one_or_more(const char* field, bool required, std::vector<std::string>& out) {
        if (!required && !find_quietly(field)) return true;
        if (!is_string(field)) return strings(field, 1, out);
        out.resize(1);
        return string(field, true, out[0]);
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

// Fields `image`, `audio` and `video`: files beside the suite.
bool read_media(Reader& r, const std::string& folder, Question& q) {
    using Kind = MediaKind;
    for (const auto& [field, kind] : {std::pair{"image", Kind::image}, std::pair{"audio", Kind::sound}, std::pair{"video", Kind::video}}) {
        std::vector<std::string> paths;
        if (!r.one_or_more(field, false, paths)) return false;
        for (const std::string& p : paths) q.media.push_back({kind, p[0] == '/' ? p : folder + p});
    }
    return true;
}

bool read_question(Reader& r, const std::string& folder, Question& q) {
    std::string type, format = "raw";
    if (!r.string("task", true, q.task) || !r.string("type", true, type) || !r.string("prompt", true, q.prompt) || !r.string("format", false, format)) return false;
    if (format != "raw" && format != "chat") return r.wrong("format", "\"raw\" or \"chat\"");
    q.chat = format == "chat";
    if (type == "choice") {
        q.type = QuestionType::choice;
        return r.only({"task", "type", "format", "prompt", "choices", "answer"}) && r.strings("choices", 2, q.answers) &&
               r.whole("answer", true, 0, static_cast<int64_t>(q.answers.size()) - 1, q.right);
    }
    if (type == type_name(QuestionType::words)) q.type = QuestionType::words;
    else if (type == type_name(QuestionType::json)) q.type = QuestionType::json;
    else if (type == type_name(QuestionType::exact)) q.type = QuestionType::exact;
    else return r.wrong("type", "\"choice\", \"exact\", \"words\" or \"json\"");
    return r.only({"task", "type", "format", "image", "audio", "video", "prompt", "answer", "max_tokens"}) && r.whole("max_tokens", false, 1, 1 << 20, q.max_tokens) &&
           read_media(r, folder, q) && r.one_or_more("answer", true, q.answers);
}

}  // namespace

const char* type_name(QuestionType type) {
    switch (type) {
        case QuestionType::choice: return "choice";
        case QuestionType::exact: return "exact";
        case QuestionType::words: return "words";
        case QuestionType::json: return "json";
    }
    return "";
}

Result<std::vector<Question>> read_suite(std::string_view content, const std::string& name) {
    std::vector<Question> questions;
    const std::string folder = name.substr(0, name.rfind('/') + 1);  // empty: the suite lies here
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
        q.line = line;
        q.where = where;
        if (!read_question(reader, folder, q)) return *reader.error();
        for (const QuestionFile& f : q.media) {
            if (const auto file = File::open(f.path); !file) return fail(Code::bad_file, "%s: %s", where.c_str(), file.error().message.c_str());
        }
        questions.push_back(std::move(q));
    }
    if (questions.empty()) return fail(Code::bad_file, "%s: has no questions: expected one JSON object a line", name.c_str());
    return questions;
}

}  // namespace gemma3n::measure
