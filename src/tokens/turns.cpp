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

// A mark of the format, or text between marks.
struct Part {
    bool mark;
    std::string text;
};

Result<std::vector<Part>> parts_of(const std::vector<Message>& messages, bool generation) {
    std::vector<Part> parts;
    const auto add_text = [&](std::string_view s) {
        if (parts.empty() || parts.back().mark) parts.push_back({false, ""});
        parts.back().text += s;
    };
    std::string prefix;
    size_t first = 0;
    if (!messages.empty() && messages[0].role == "system") {
        prefix = messages[0].content + "\n\n";
        first = 1;
    }
    for (size_t i = first; i < messages.size(); i++) {
        const bool expects_user = (i - first) % 2 == 0, is_user = messages[i].role == "user";
        if (expects_user != is_user) {
            return fail(Code::bad_argument, "message %zu of a conversation has role '%s': roles must alternate user, model, user, ...", i + 1, shown(messages[i].role).c_str());
        }
        parts.push_back({true, std::string(start_of_turn)});
        add_text(messages[i].role == "assistant" ? "model" : messages[i].role);
        add_text("\n");
        if (i == first) add_text(prefix);
        add_text(trimmed(messages[i].content));
        parts.push_back({true, std::string(end_of_turn)});
        add_text("\n");
    }
    if (generation) {
        parts.push_back({true, std::string(start_of_turn)});
        add_text("model\n");
    }
    return parts;
}

}  // namespace

Result<std::string> render_turns(const std::vector<Message>& messages, bool add_generation_prompt, bool add_bos) {
    ASSIGN(const std::vector<Part> parts, parts_of(messages, add_generation_prompt));
    std::string s = add_bos ? "<bos>" : "";
    for (const Part& p : parts) s += p.text;
    return s;
}

Result<std::vector<int>> encode_turns(const Tokenizer& t, const std::vector<Message>& messages, bool add_generation_prompt, bool add_bos) {
    ASSIGN(const std::vector<Part> parts, parts_of(messages, add_generation_prompt));
    std::vector<int> ids;
    if (add_bos && t.bos() >= 0) ids.push_back(t.bos());
    for (const Part& p : parts) {
        if (p.mark) {
            const int id = t.id_of(p.text);
            if (id < 0) return fail(Code::unsupported, "the model's vocabulary has no %s: it cannot hold a conversation, only continue text", p.text.c_str());
            ids.push_back(id);
            continue;
        }
        const std::vector<int> text = t.encode(p.text);
        ids.insert(ids.end(), text.begin(), text.end());
    }
    return ids;
}

}  // namespace gemma3n::tokens
