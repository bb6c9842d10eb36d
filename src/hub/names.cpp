#include "hub/names.h"

#include "base/utf8.h"

#include <algorithm>

namespace gemma3n::hub {

namespace {

constexpr ShortName known[] = {
    {"e2b", "unsloth/gemma-3n-E2B-it-GGUF", "Q4_K_M", "Gemma 3n E2B, instruction-tuned"},
    {"e4b", "unsloth/gemma-3n-E4B-it-GGUF", "Q4_K_M", "Gemma 3n E4B, instruction-tuned"},
    {"270m", "ggml-org/gemma-3-270m-it-GGUF", "Q8_0", "Gemma 3 270M, instruction-tuned"},
};

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// The hub's own rule for either half of a name: letters, digits, '-', '_', '.'; no '-' or '.' at its ends, no "--", no "..".
bool is_half(std::string_view s) {
    if (s.empty() || s.size() > 96 || !is_word(s.front()) || !is_word(s.back())) return false;
    for (size_t i = 0; i < s.size(); i++) {
        if (!is_word(s[i]) && s[i] != '-' && s[i] != '.') return false;
        if (i > 0 && s[i] == s[i - 1] && !is_word(s[i])) return false;
    }
    return true;
}

bool is_repo(std::string_view s) {
    const size_t slash = s.find('/');
    return slash != s.npos && is_half(s.substr(0, slash)) && is_half(s.substr(slash + 1));
}

const ShortName* find_short(std::string_view s) {
    for (const ShortName& n : known)
        if (s == n.name) return &n;
    return nullptr;
}

std::string all_short() {
    std::string s;
    for (const ShortName& n : known) s += std::string(n.name) + ", ";
    return s;
}

}  // namespace

std::span<const ShortName> short_names() { return known; }

bool looks_like_name(std::string_view s) {
    const std::string_view head = s.substr(0, s.find(':'));
    if (find_short(head)) return true;
    return is_repo(head) && !(head.size() == s.size() && head.ends_with(".gguf"));
}

Result<Reference> parse_name(std::string_view s) {
    const size_t colon = s.find(':');
    const std::string_view head = s.substr(0, colon);
    Reference r;
    if (const ShortName* n = find_short(head)) {
        r = {n->repo, n->selector};
    } else if (is_repo(head)) {
        r.repo = head;
    } else {
        return fail(Code::bad_argument, "'%s' is no name of a model: expected %sORG/REPO, ORG/REPO:QUANT or ORG/REPO:FILE.gguf", shown(s).c_str(), all_short().c_str());
    }
    if (colon == s.npos) return r;
    r.selector = s.substr(colon + 1);
    if (r.selector.empty()) return fail(Code::bad_argument, "'%s' ends in ':': expected a quantisation such as Q4_K_M, or a .gguf file, after it", shown(s).c_str());
    if (const std::string bad = unsafe_path(r.selector); !bad.empty()) return fail(Code::bad_argument, "'%s': what follows ':' %s", shown(s).c_str(), bad.c_str());
    return r;
}

std::string unsafe_path(std::string_view path) {
    if (path.empty()) return "is empty";
    if (path.size() > 1024) return "is longer than 1024 bytes";
    if (!is_utf8(path)) return "is not UTF-8";
    for (const char c : path)
        if (c == '\\' || c == 127 || (static_cast<unsigned char>(c) < 32)) return "has a backslash or a control character in it";
    if (path.front() == '/') return "begins with '/'";
    for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        if (part.empty() || part == "." || part == "..") return "has an empty part, '.' or '..' in it";
        if (part.size() > 255) return "has a part longer than 255 bytes";
        at = end + 1;
    }
    return "";
}

bool is_commit(std::string_view s) {
    return s.size() == 40 && std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace gemma3n::hub
