#include "hub/settings.h"

#include <charconv>
#include <cstdlib>
#include <fstream>

namespace gemma3n::hub {

namespace {

std::string variable(const char* name) {
    const char* v = getenv(name);
    return v ? v : "";
}

std::string expanded(const std::string& path) { return path == "~" || path.starts_with("~/") ? variable("HOME") + path.substr(1) : path; }

std::string first_of(std::initializer_list<std::string> values) {
    for (const std::string& v : values)
        if (!v.empty()) return expanded(v);
    return "";
}

bool is_true(std::string v) {
    for (char& c : v) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return v == "1" || v == "ON" || v == "YES" || v == "TRUE";
}

std::string trimmed(const std::string& s) {
    const size_t begin = s.find_first_not_of(" \t\r\n"), end = s.find_last_not_of(" \t\r\n");
    return begin == s.npos ? "" : s.substr(begin, end - begin + 1);
}

}  // namespace

Result<Settings> settings(const std::string& token, bool offline) {
    Settings s;
    s.endpoint = first_of({variable("HF_ENDPOINT"), "https://huggingface.co"});
    while (s.endpoint.ends_with('/')) s.endpoint.pop_back();
    if (!s.endpoint.starts_with("https://") && !s.endpoint.starts_with("http://")) {
        return fail(Code::bad_argument, "HF_ENDPOINT is '%s': expected an address that begins with https:// or http://", shown(s.endpoint).c_str());
    }
    if (variable("HOME").empty() && variable("HF_HUB_CACHE").empty() && variable("HF_HOME").empty()) {
        return fail(Code::bad_argument, "none of HOME, HF_HOME and HF_HUB_CACHE is set: expected one that says where the cache of models is");
    }
    const std::string hf_home = first_of({variable("HF_HOME"), first_of({variable("XDG_CACHE_HOME"), "~/.cache"}) + "/huggingface"});
    s.cache = first_of({variable("HF_HUB_CACHE"), variable("HUGGINGFACE_HUB_CACHE"), hf_home + "/hub"});
    while (s.cache.size() > 1 && s.cache.ends_with('/')) s.cache.pop_back();
    s.token_file = first_of({variable("HF_TOKEN_PATH"), hf_home + "/token"});
    std::string from_file;
    if (std::ifstream file(s.token_file); file) std::getline(file, from_file);
    for (const std::string& t : {token, variable("HF_TOKEN"), variable("HUGGING_FACE_HUB_TOKEN"), from_file})
        if (s.token.empty()) s.token = trimmed(t);
    for (const char c : s.token)
        if (c <= ' ' || c > '~') return fail(Code::bad_argument, "the access token has a space or a control character in it: expected something like hf_...");
    s.offline = offline || is_true(variable("HF_HUB_OFFLINE"));
    if (const std::string v = variable("HF_HUB_DOWNLOAD_TIMEOUT"); !v.empty()) {
        const auto [end, error] = std::from_chars(v.data(), v.data() + v.size(), s.stall_s);
        if (error != std::errc{} || end != v.data() + v.size() || s.stall_s < 1) {
            return fail(Code::bad_argument, "HF_HUB_DOWNLOAD_TIMEOUT is '%s': expected a whole number of seconds, 1 or more", shown(v).c_str());
        }
    }
    return s;
}

}  // namespace gemma3n::hub
