// list and rm: what the cache holds beside the model that comes with this program, and less of it.
#include "base/result.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "hub/shipped.h"

#include <unistd.h>

#include <algorithm>

namespace gemma3n::cli {

namespace {

std::string json(const hub::Cached& c) {
    std::string s = "  {\"name\": " + json_string(c.repo) + ", \"bytes\": " + std::to_string(c.bytes) + ", \"partial_bytes\": " + std::to_string(c.partial_bytes) + ", \"files\": [";
    for (size_t i = 0; i < c.files.size(); i++) s += (i ? ", " : "") + json_string(c.files[i]);
    return s + "], \"path\": " + json_string(c.path) + "}";
}

}  // namespace

int list(const ListOptions& o) {
    const auto settings = hub::settings("", true);
    if (!settings) return report(settings.error());
    auto all = hub::list_models(*settings);
    if (!all) return report(all.error());
    if (const auto folder = hub::shipped_folder()) all->insert(all->begin(), hub::shipped(*folder));
    if (o.json) {
        std::string s = "[";
        for (size_t i = 0; i < all->size(); i++) s += (i ? ",\n" : "\n") + json((*all)[i]);
        write_output(s + (all->empty() ? "]\n" : "\n]\n"));
        return finish_output();
    }
    if (all->empty()) {
        fprintf(stderr, "gemma3n: the cache %s holds no models\n", settings->cache.c_str());
        return exit_ok;
    }
    int width = 4;
    for (const hub::Cached& c : *all) width = std::max(width, static_cast<int>(c.repo.size()));
    write_output(text("%-*s  %10s  %5s  %s\n", width, "NAME", "SIZE", "FILES", "PATH"));
    for (const hub::Cached& c : *all) {
        const std::string partial = c.partial_bytes ? "  (" + gigabytes(c.partial_bytes) + " of it a download under way)" : "";
        write_output(text("%-*s  %10s  %5zu  %s%s\n", width, c.repo.c_str(), gigabytes(c.bytes).c_str(), c.files.size(), c.path.c_str(), partial.c_str()));
    }
    return finish_output();
}

int rm(const RmOptions& o) {
    if (hub::is_shipped_name(o.name)) {
        const auto folder = hub::shipped_folder();
        if (!folder) return report(folder.error());
        return usage_error("'" + o.name + "' comes with this program and lies in " + *folder + ": rm removes what is in the cache");
    }
    const auto name = hub::parse_name(o.name);
    if (!name) return report(name.error());
    if (o.name.find(':') != o.name.npos) return usage_error("'" + o.name + "' names one file: rm removes a whole repository, " + name->repo);
    const auto settings = hub::settings("", true);
    if (!settings) return report(settings.error());
    const auto held = hub::cached(*settings, name->repo);
    if (!held) return report(held.error());
    const std::string folder = hub::repo_folder(*settings, name->repo);
    if (!o.yes) {
        if (!isatty(STDIN_FILENO)) return usage_error("rm asks before it removes " + folder + ", and standard input is no terminal: give -y");
        fprintf(stderr, "Remove %s (%s)? [y/N] ", folder.c_str(), gigabytes(held->bytes).c_str());
        std::string line;
        const Line got = Lines(STDIN_FILENO).next(line);
        if (got == Line::interrupted) return exit_interrupted;
        if (got != Line::read || (line != "y" && line != "Y" && line != "yes")) {
            fprintf(stderr, "gemma3n: nothing is removed\n");
            return exit_ok;
        }
    }
    const Status done = hub::remove_model(*settings, name->repo);
    if (!done) return report(done.error());
    fprintf(stderr, "gemma3n: %s is removed: %s freed\n", name->repo.c_str(), gigabytes(held->bytes).c_str());
    return exit_ok;
}

}  // namespace gemma3n::cli
