#include "hub/shipped.h"

#include <algorithm>
#include <filesystem>

namespace gemma3n::hub {

namespace fs = std::filesystem;

namespace {

bool holds_it(const fs::path& folder) {
    std::error_code ec;
    return fs::is_regular_file(folder / shipped_file, ec);
}

}  // namespace

bool is_shipped_name(std::string_view s) { return s.substr(0, s.find(':')) == shipped_name; }

// Both places are found from where the executable lies, and no path of the machine that built it is in it: an installed tree and a checkout may
// be moved, and a command that was built in one checkout never reads the model of another. A build folder outside of the checkout would have
// nothing above it; cmake/install.cmake puts a link to models/ into such a one.
Result<std::string> shipped_folder(const std::string& executable) {
    const fs::path beside = fs::path(executable).parent_path();
    const fs::path installed = (beside / G3N_SHARE_FROM_BIN / "gemma3n" / shipped_name).lexically_normal();
    if (holds_it(installed)) return installed.string();
    for (fs::path at = beside; !at.empty(); at = at.parent_path()) {
        const fs::path folder = at / "models" / shipped_name;
        if (holds_it(folder)) return folder.string();
        if (at == at.root_path()) break;
    }
    return fail(Code::not_found, "%s: the model that comes with this program is not here: looked for %s in %s, and in models/%s of %s and of every folder above it", std::string(shipped_name).c_str(),
                std::string(shipped_file).c_str(), installed.c_str(), std::string(shipped_name).c_str(), beside.c_str());
}

Result<std::string> shipped_folder() {
    std::error_code ec;
    const fs::path executable = fs::read_symlink("/proc/self/exe", ec);  // links to the executable are followed: it is the real one's tree that counts
    if (ec) return fail(Code::not_found, "%s: this program cannot tell where it lies, so it cannot look beside itself: /proc/self/exe: %s", std::string(shipped_name).c_str(), ec.message().c_str());
    return shipped_folder(executable.string());
}

Result<std::string> shipped_model(std::string_view name) {
    if (name != shipped_name) {
        return fail(Code::bad_argument, "'%s': %s comes with this program as one file, %s: expected %s alone; 'gemma3n quantize' makes other types of it", shown(name).c_str(),
                    std::string(shipped_name).c_str(), std::string(shipped_file).c_str(), std::string(shipped_name).c_str());
    }
    ASSIGN(const std::string folder, shipped_folder());
    return folder + "/" + std::string(shipped_file);
}

Cached shipped(const std::string& folder) {
    Cached c{std::string(shipped_name), folder, {}, 0, 0};
    std::error_code ec;
    for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        std::error_code each;
        if (!it->is_regular_file(each)) continue;
        const uint64_t n = it->file_size(each);
        if (each) continue;
        c.bytes += n;
        c.files.push_back(it->path().string().substr(folder.size() + 1));
    }
    std::sort(c.files.begin(), c.files.end());
    return c;
}

}  // namespace gemma3n::hub
