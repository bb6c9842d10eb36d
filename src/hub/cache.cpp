#include "hub/cache.h"

#include "hub/selection.h"

#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace gemma3n::hub {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = "models--";

// The folder that refs/main names, "" when there is none.
std::string main_snapshot(const std::string& folder) {
    std::string commit;
    if (std::ifstream ref(folder + "/refs/main"); ref) ref >> commit;
    const std::string path = folder + "/snapshots/" + commit;
    std::error_code ec;
    return is_commit(commit) && fs::is_directory(path, ec) ? path : "";
}

// Files under `root`, their links followed, as paths relative to it; what a link does not reach is not there.
std::vector<std::string> files_under(const std::string& root) {
    std::vector<std::string> files;
    std::error_code ec, each;
    for (fs::recursive_directory_iterator it(root, ec), end; !ec && it != end; it.increment(ec))
        if (it->is_regular_file(each)) files.push_back(it->path().string().substr(root.size() + 1));
    std::sort(files.begin(), files.end());
    return files;
}

// Are all shards there that the index names? An index that cannot be read is the engine's to complain about.
bool shards_complete(const std::string& snapshot) {
    simdjson::dom::parser parser;
    simdjson::dom::object map;
    if (parser.load(snapshot + "/model.safetensors.index.json")["weight_map"].get(map)) return true;
    for (const auto& [tensor, file] : map) {
        std::string_view name;
        std::error_code ec;
        if (file.get(name) || !unsafe_path(name).empty() || !fs::is_regular_file(snapshot + "/" + std::string(name), ec)) return false;
    }
    return true;
}

// "models--ORG--REPO" to "ORG/REPO", "" when it is no such folder.
std::string repo_of(const std::string& folder_name) {
    if (!folder_name.starts_with(prefix)) return "";
    std::string repo = folder_name.substr(prefix.size());
    const size_t at = repo.find("--");
    if (at == repo.npos) return "";
    repo.replace(at, 2, "/");
    return parse_name(repo) ? repo : "";
}

}  // namespace

std::string repo_folder(const Settings& s, const std::string& repo) {
    const size_t slash = repo.find('/');
    return s.cache + "/" + std::string(prefix) + repo.substr(0, slash) + "--" + repo.substr(slash + 1);
}

Result<std::optional<std::string>> find_model(const Settings& s, const Reference& r, bool mmproj) {
    const std::string snapshot = main_snapshot(repo_folder(s, r.repo));
    if (snapshot.empty()) return std::optional<std::string>();
    const auto chosen = select_files(files_under(snapshot), r, mmproj);
    if (!chosen && chosen.error().code == Code::not_found) return std::optional<std::string>();
    if (!chosen) return chosen.error();
    if (!chosen->directory) return std::optional(snapshot + "/" + chosen->files[0]);
    return shards_complete(snapshot) ? std::optional(snapshot) : std::nullopt;
}

Result<Cached> cached(const Settings& s, const std::string& repo) {
    const std::string folder = repo_folder(s, repo);
    std::error_code ec;
    if (!fs::is_directory(fs::symlink_status(folder, ec))) return fail(Code::not_found, "%s is not in the cache %s", repo.c_str(), s.cache.c_str());
    Cached c{repo, main_snapshot(folder), {}, 0, 0};
    if (c.path.empty()) c.path = folder;
    else c.files = files_under(c.path);
    for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        std::error_code each;
        if (!fs::is_regular_file(it->symlink_status(each)) || it->hard_link_count(each) > 1) continue;  // bytes that others share are not this one's
        const uint64_t n = it->file_size(each);
        if (each) continue;
        c.bytes += n;
        if (it->path().extension() == ".incomplete") c.partial_bytes += n;
    }
    return c;
}

Result<std::vector<Cached>> list_models(const Settings& s) {
    std::vector<Cached> all;
    std::error_code ec;
    if (!fs::exists(s.cache, ec)) return all;
    fs::directory_iterator it(s.cache, ec);
    if (ec) return fail(Code::io, "%s: cannot be read: %s", s.cache.c_str(), ec.message().c_str());
    for (const auto& entry : it) {
        const std::string repo = repo_of(entry.path().filename().string());
        if (repo.empty()) continue;
        if (auto c = cached(s, repo)) all.push_back(std::move(*c));
    }
    std::sort(all.begin(), all.end(), [](const Cached& a, const Cached& b) { return a.repo < b.repo; });
    return all;
}

Status remove_model(const Settings& s, const std::string& repo) {
    TRY(parse_name(repo));
    const std::string folder = repo_folder(s, repo);
    std::error_code ec;
    if (!fs::is_directory(fs::symlink_status(folder, ec))) return fail(Code::not_found, "%s is not in the cache %s", repo.c_str(), s.cache.c_str());
    fs::remove_all(folder, ec);  // follows no link
    if (ec) return fail(Code::io, "%s: cannot be removed: %s", folder.c_str(), ec.message().c_str());
    return {};
}

}  // namespace gemma3n::hub
