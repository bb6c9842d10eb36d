#include "hub/selection.h"

#include "base/utf8.h"

#include <algorithm>

namespace gemma3n::hub {

namespace {

// Taken when no quantisation is asked for, the first that exactly one file has.
constexpr const char* preference[] = {"Q4_K_M", "Q4_0", "Q8_0", "Q6_K", "F16", "BF16"};

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_gguf(const std::string& path) { return ascii_lower(path).ends_with(".gguf"); }
bool is_mmproj(const std::string& path) { return is_gguf(path) && ascii_lower(base_name(path)).starts_with("mmproj"); }

// Is `quant` a whole word of the file's name? Q4_K is none of x-Q4_K_M.gguf; nor is it one of x-UD-Q4_K.gguf, another
// recipe, which is taken only when asked for or when there is no other.
bool has_quant(const std::string& path, const std::string& quant) {
    const std::string s = ascii_lower(path).substr(0, path.size() - 5), q = ascii_lower(quant);
    for (size_t at = s.find(q); at != s.npos; at = s.find(q, at + 1)) {
        const size_t end = at + q.size();
        const bool begins = at == 0 || std::string_view("-._/").find(s[at - 1]) != std::string_view::npos;
        const bool ends = end == s.size() || std::string_view("-./").find(s[end]) != std::string_view::npos;
        const bool other = at >= 3 && s.compare(at - 3, 3, "ud-") == 0;
        if (begins && ends && !other) return true;
    }
    return false;
}

std::vector<std::string> with_quant(const std::vector<std::string>& paths, const std::string& quant) {
    std::vector<std::string> out;
    std::copy_if(paths.begin(), paths.end(), std::back_inserter(out), [&](const std::string& p) { return has_quant(p, quant); });
    return out;
}

std::string choices(const std::vector<std::string>& paths) {
    std::string s;
    const size_t most = 24;
    for (size_t i = 0; i < paths.size() && i < most; i++) s += (i ? ", " : "") + shown(paths[i]);
    return paths.size() > most ? s + " and " + std::to_string(paths.size() - most) + " more" : s;
}

Result<std::string> select_gguf(const std::vector<std::string>& ggufs, const Reference& r) {
    const std::string& asked = r.selector;
    if (asked.empty()) {
        if (ggufs.size() == 1) return ggufs[0];
        for (const char* q : preference) {
            const auto match = with_quant(ggufs, q);
            if (match.size() == 1) return match[0];
        }
        return fail(Code::bad_argument, "%s has several GGUF files: name one after ':', of %s", r.repo.c_str(), choices(ggufs).c_str());
    }
    if (is_gguf(asked)) {
        if (std::find(ggufs.begin(), ggufs.end(), asked) != ggufs.end()) return asked;
        return fail(Code::not_found, "%s has no file '%s': expected one of %s", r.repo.c_str(), shown(asked).c_str(), choices(ggufs).c_str());
    }
    auto match = with_quant(ggufs, asked);
    if (match.empty()) match = with_quant(ggufs, "UD-" + asked);
    if (match.size() == 1) return match[0];
    if (match.empty()) return fail(Code::not_found, "%s has no GGUF file with '%s' in its name: expected one of %s", r.repo.c_str(), shown(asked).c_str(), choices(ggufs).c_str());
    return fail(Code::bad_argument, "%s has several files with '%s': name one after ':', of %s", r.repo.c_str(), shown(asked).c_str(), choices(match).c_str());
}

bool belongs_to_directory(const std::string& path) {
    static constexpr const char* needed[] = {"config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer.json",
                                             "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
                                             "chat_template.json", "preprocessor_config.json", "processor_config.json"};
    if (path.find('/') != path.npos) return false;
    return path.ends_with(".safetensors") || std::find(std::begin(needed), std::end(needed), path) != std::end(needed);
}

}  // namespace

Result<Selection> select_files(const std::vector<std::string>& names, const Reference& r, bool mmproj) {
    std::vector<std::string> ggufs, projectors;
    for (const std::string& n : names)
        if (is_gguf(n)) (is_mmproj(n) ? projectors : ggufs).push_back(n);
    std::sort(ggufs.begin(), ggufs.end());
    std::sort(projectors.begin(), projectors.end());
    Selection s;
    if (!ggufs.empty()) {
        ASSIGN(std::string file, select_gguf(ggufs, r));
        s.files.push_back(file);
        if (!mmproj) return s;
        if (projectors.size() > 1) {
            // published side by side as F16, BF16 and F32, all of the same tensors: the first is the smaller one that every CPU reads fast
            const auto half = with_quant(projectors, "F16");
            if (half.size() == 1) projectors = half;
        }
        if (projectors.size() != 1) {
            return fail(projectors.empty() ? Code::not_found : Code::bad_argument, "%s has %zu mmproj files: expected one%s%s", r.repo.c_str(), projectors.size(),
                        projectors.empty() ? "" : " of ", choices(projectors).c_str());
        }
        s.files.push_back(projectors[0]);
        return s;
    }
    if (!r.selector.empty()) return fail(Code::not_found, "%s has no GGUF files: '%s' selects nothing", r.repo.c_str(), shown(r.selector).c_str());
    s.directory = true;
    std::copy_if(names.begin(), names.end(), std::back_inserter(s.files), belongs_to_directory);
    std::sort(s.files.begin(), s.files.end());
    const bool config = std::find(s.files.begin(), s.files.end(), "config.json") != s.files.end();
    const bool weights = std::any_of(s.files.begin(), s.files.end(), [](const std::string& f) { return f.ends_with(".safetensors"); });
    if (!config || !weights) return fail(Code::not_found, "%s holds no model: expected a GGUF file, or config.json with safetensors files", r.repo.c_str());
    if (mmproj) return fail(Code::not_found, "%s is no GGUF repository: it has no mmproj file", r.repo.c_str());
    return s;
}

}  // namespace gemma3n::hub
