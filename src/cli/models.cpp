// Models by name, for every command that takes MODEL.
#include "hub/shipped.h"

#include "cli/commands.h"
#include "cli/pull.h"

#include <filesystem>

namespace gemma3n::cli {

Result<std::string> model_path(const ModelOptions& o) {
    std::error_code ec;
    if (std::filesystem::exists(o.model, ec)) return o.model;
    if (hub::is_shipped_name(o.model)) return hub::shipped_model(o.model);
    if (!hub::looks_like_name(o.model)) return o.model;
    auto name = hub::parse_name(o.model);
    if (!name) return name.error();
    auto settings = hub::settings("", o.offline);
    if (!settings) return settings.error();
    auto found = hub::find_model(*settings, *name);
    if (!found) return found.error();
    if (*found) return **found;
    if (!o.pull || settings->offline) {
        const std::string fetch = o.pull ? "without --offline and HF_HUB_OFFLINE it would be fetched" : "'gemma3n pull " + o.model + "' fetches it";
        return Error{Code::not_found, o.model + ": there is no such path, and the cache " + settings->cache + " does not hold " + described(*name) + ": " + fetch};
    }
    auto pulled = fetch(*settings, *name, false);
    if (!pulled) return pulled.error();
    return pulled->path;
}

std::string gigabytes(uint64_t bytes) {
    char s[32];
    const auto b = static_cast<double>(bytes);
    if (bytes >= 1000000000) snprintf(s, sizeof s, "%.2f GB", b / 1e9);
    else if (bytes >= 1000000) snprintf(s, sizeof s, "%.1f MB", b / 1e6);
    else if (bytes >= 1000) snprintf(s, sizeof s, "%.1f kB", b / 1e3);
    else snprintf(s, sizeof s, "%d bytes", static_cast<int>(bytes));
    return s;
}

}  // namespace gemma3n::cli
