#include "tokens/turns.h"

#include "base/utf8.h"
#include "tokens/vocabulary.h"

namespace gemma3n::tokens {

namespace {

constexpr std::string_view start_of_turn = "<start_of_turn>", end_of_turn = "<end_of_turn>";

// Whitespace as the template's trim (Python's str.strip) sees it.
bool is_space(std::string_view c) {
    if (c.size() == 1) return (c[0] >= 9 && c[0] <= 13) || (c[0] >= 28 && c[0] <= 32);
    for (const std::string_view s : {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"})
        if (c == s) return true;
    return c.size() == 3 && c.starts_with("\xE2\x80") && static_cast<uint8_t>(c[2]) >= 0x80 && static_cast<uint8_t>(c[2]) <= 0x8A;  // U+2000..200A
}

std::string_view trimmed(std::string_view s) {
    size_t begin = s.size(), end = 0;
    for (size_t i = 0; i < s.size();) {
        const int n = std::max(1, utf8_length(s, i));
        if (!is_space(s.substr(i, static_cast<size_t>(n)))) {
            begin = std::min(begin, i);
            end = i + static_cast<size_t>(n);
        }
        i += static_cast<size_t>(n);
    }
    return begin < end ? s.substr(begin, end - begin) : std::string_view();
}

// What a prompt is made of, between the ids of marks: text that is encoded in one piece.
struct Part {
    enum Kind { text, turn_mark, media } kind;
    std::string spelling;    // as the template writes it
    std::vector<int> marks;  // of media
};

class Parts {
public:
    // Text joins the text before it.
    void text(std::string_view s) {
        if (list.empty() || list.back().kind != Part::text) list.push_back({Part::text, "", {}});
        list.back().spelling += s;
    }
    void turn_mark(std::string_view s) { list.push_back({Part::turn_mark, std::string(s), {}}); }
    void items(const std::vector<Item>& items, bool trim) {
        for (const Item& i : items) {
            if (!i.marks.empty()) list.push_back({Part::media, i.text, i.marks});
            else text(trim ? trimmed(i.text) : std::string_view(i.text));
        }
    }
    std::vector<Part> list;
};

// In the template's text a picture is a name; in the prompt it is ids between newlines.
std::vector<Part> expanded(const std::vector<Part>& parts) {
    Parts out;
    for (const Part& p : parts) {
        if (p.kind == Part::text) out.text(p.spelling);
        else if (p.kind == Part::turn_mark) out.turn_mark(p.spelling);
        else {
            out.text("\n\n");
            out.list.push_back(p);
            out.text("\n\n");
        }
    }
    return std::move(out.list);
}

Result<std::vector<Part>> parts_of(const std::vector<Message>& messages, bool generation) {
    if (messages.empty()) return fail(Code::bad_argument, "a conversation without a message: expected at least one");
    Parts parts;
    std::string prefix;
    size_t first = 0;
    if (messages[0].role == "system") {
        prefix = messages[0].content + "\n\n";
        first = 1;
    }
    for (size_t i = first; i < messages.size(); i++) {
        const Message& m = messages[i];
        const bool expects_user = (i - first) % 2 == 0, is_user = m.role == "user";
        if (expects_user != is_user) {
            return fail(Code::bad_argument, "message %zu of a conversation has role '%s': roles must alternate user, model, user, ...", i + 1, shown(m.role).c_str());
        }
        parts.turn_mark(start_of_turn);
        parts.text(m.role == "assistant" ? "model" : m.role);
        parts.text("\n");
        if (i == first) parts.text(prefix);
        if (m.items.empty()) parts.text(trimmed(m.content));
        else parts.items(m.items, true);
        parts.turn_mark(end_of_turn);
        parts.text("\n");
    }
    if (generation) {
        parts.turn_mark(start_of_turn);
        parts.text("model\n");
    }
    return std::move(parts.list);
}

Status encode_parts(const Tokenizer& t, const std::vector<Part>& parts, std::vector<int>& ids) {
    for (const Part& p : expanded(parts)) {
        std::vector<int> some = p.marks;
        if (p.kind == Part::text) some = t.encode(p.spelling);
        if (p.kind == Part::turn_mark) some = {t.id_of(p.spelling)};
        if (p.kind == Part::turn_mark && some[0] < 0) {
            return fail(Code::unsupported, "the model's vocabulary has no %s: it cannot hold a conversation, only continue text", p.spelling.c_str());
        }
        ids.insert(ids.end(), some.begin(), some.end());
    }
    return {};
}

std::vector<int> beginning(const Tokenizer& t, bool add_bos) { return add_bos && t.bos() >= 0 ? std::vector<int>{t.bos()} : std::vector<int>(); }

}  // namespace

Result<std::string> render_turns(const std::vector<Message>& messages, bool add_generation_prompt, bool add_bos) {
    ASSIGN(const std::vector<Part> parts, parts_of(messages, add_generation_prompt));
    std::string s = add_bos ? "<bos>" : "";
    for (const Part& p : parts) s += p.spelling;
    return s;
}

Result<std::vector<int>> encode_turns(const Tokenizer& t, const std::vector<Message>& messages, bool add_generation_prompt, bool add_bos) {
    ASSIGN(const std::vector<Part> parts, parts_of(messages, add_generation_prompt));
    std::vector<int> ids = beginning(t, add_bos);
    TRY(encode_parts(t, parts, ids));
    return ids;
}

Result<std::vector<int>> encode_items(const Tokenizer& t, const std::vector<Item>& items, bool add_bos) {
    Parts parts;
    parts.items(items, false);
    std::vector<int> ids = beginning(t, add_bos);
    TRY(encode_parts(t, parts.list, ids));
    return ids;
}

}  // namespace gemma3n::tokens
