#include "format/projector.h"

#include "base/utf8.h"

#include <algorithm>
#include <filesystem>

namespace gemma3n::format {

namespace {

namespace fs = std::filesystem;

bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }

// "mmproj-Gemma-3n-E2B-it-F16.gguf" -> name "gemma-3n-e2b-it", type "f16". A name of nothing but a type, or "model", stands for any model.
struct Candidate {
    std::string path, name, type;
};

Candidate parsed(const std::string& path) {
    Candidate c{path, ascii_lower(fs::path(path).stem().string()).substr(std::string_view("mmproj").size()), {}};
    while (!c.name.empty() && is_separator(c.name[0])) c.name.erase(0, 1);
    for (const char* type : {"f32", "f16", "bf16", "q8_0", "q6_k", "q5_0", "q4_0"}) {
        const std::string t = type;
        if (!c.name.ends_with(t) || (c.name.size() > t.size() && !is_separator(c.name[c.name.size() - t.size() - 1]))) continue;
        c.type = t;
        c.name.resize(c.name.size() - std::min(c.name.size(), t.size() + 1));
        break;
    }
    if (c.name == "model") c.name.clear();
    return c;
}

// A file that cannot be read stays a candidate: loading it says what is wrong.
bool may_belong(const std::string& path) {
    const auto c = Checkpoint::open(path);
    return !c || (is_projector(**c) && check_projector(**c));
}

void keep_if_any(std::vector<Candidate>& all, const auto& wanted) {
    std::vector<Candidate> some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some), wanted);
    if (!some.empty()) all = std::move(some);
}

}  // namespace

bool is_projector(const Checkpoint& c) {
    const std::string* architecture = c.text("general.architecture");
    return architecture && *architecture == "clip";
}

Status check_projector(const Checkpoint& c) {
    if (!is_projector(c)) {
        return fail(Code::unsupported, "%s: is no projector file: expected a GGUF of architecture clip, with the vision and audio towers of Gemma 3n", c.path().c_str());
    }
    bool any = false;
    for (const auto& [part, expected] : {std::pair{"vision", "gemma3nv"}, {"audio", "gemma3na"}}) {
        const std::string key = std::string("clip.") + part + ".projector_type";
        const std::string* type = c.text(key);
        if (!type) continue;
        if (*type != expected) return fail(Code::unsupported, "%s: its %s projector is '%s': expected %s, Gemma 3n's", c.path().c_str(), part, shown(*type).c_str(), expected);
        any = true;
    }
    if (any) return {};
    const std::string* type = c.text("clip.projector_type");
    return fail(Code::unsupported, "%s: is the projector file of another model (type '%s'): expected gemma3nv or gemma3na, Gemma 3n's", c.path().c_str(), type ? shown(*type).c_str() : "none");
}

std::string projector_path(const std::string& model_path) {
    const fs::path p(model_path);
    return (p.parent_path() / ("mmproj-" + p.filename().string())).string();
}

Result<std::string> find_projector(const std::string& model_path) {
    const fs::path model(model_path);
    const fs::path directory = model.has_parent_path() ? model.parent_path() : fs::path(".");
    std::error_code ec;
    std::vector<Candidate> found;
    for (auto it = fs::directory_iterator(directory, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
        const std::string name = ascii_lower(it->path().filename().string());
        if (!name.starts_with("mmproj") || !name.ends_with(".gguf") || !may_belong(it->path().string())) continue;
        found.push_back(parsed(it->path().string()));
    }
    if (ec) return fail(Code::io, "%s: cannot be listed for a projector file: %s", directory.c_str(), ec.message().c_str());
    const std::string own = ascii_lower(model.stem().string());
    const auto shared = [&](const Candidate& c) {
        return !c.name.empty() && own.starts_with(c.name) && (own.size() == c.name.size() || is_separator(own[c.name.size()])) ? c.name.size() : 0;
    };
    size_t most = 0;
    for (const Candidate& c : found) most = std::max(most, shared(c));
    keep_if_any(found, [&](const Candidate& c) { return most > 0 ? shared(c) == most : c.name.empty(); });
    keep_if_any(found, [&](const Candidate& c) { return ascii_lower(fs::path(c.path).stem().string()) == "mmproj-" + own; });
    const bool one_name = std::all_of(found.begin(), found.end(), [&](const Candidate& c) { return c.name == found[0].name; });
    for (const char* type : {"f16", "bf16"})
        if (found.size() > 1 && one_name) keep_if_any(found, [&](const Candidate& c) { return c.type == type; });
    if (found.empty()) return std::string();
    if (found.size() == 1) return found[0].path;
    std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.path < b.path; });
    std::string names;
    for (const Candidate& c : found) names += (names.empty() ? "" : ", ") + shown(fs::path(c.path).filename().string());
    return fail(Code::bad_argument, "%s: has several projector files beside it, %s: expected one that bears its name, or the one that is meant to be named as mmproj", model_path.c_str(), names.c_str());
}

}  // namespace gemma3n::format
