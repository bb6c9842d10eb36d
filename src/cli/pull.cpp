// pull: a model from the hub into the cache; its path goes to standard output.
#include "cli/pull.h"

#include "cli/commands.h"
#include "cli/progress.h"
#include "hub/shipped.h"

#include <chrono>

namespace gemma3n::cli {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

std::string clock_text(double s) {
    char out[32];
    const auto whole = static_cast<long>(s);
    if (whole >= 3600) snprintf(out, sizeof out, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else snprintf(out, sizeof out, "%ld:%02ld", whole / 60, whole % 60);
    return out;
}

// "gemma-3n-E2B-it-Q4_K_M.gguf  1.20 GB of 3.03 GB  40 %  84.1 MB/s  0:22 left", a few times a second.
class PullProgress {
public:
    bool at(const hub::Moment& m) {
        if (interrupted()) return false;
        if (seconds_since(shown_) < 0.2) return true;
        shown_ = Clock::now();
        switch (m.phase) {
            case hub::Phase::asking: progress_line("asking the hub"); break;
            case hub::Phase::waiting: progress_line(m.file + "  waiting: another process fetches it"); break;
            case hub::Phase::checking: progress_line(m.file + "  checking what is there"); break;
            case hub::Phase::receiving: progress_line(receiving(m)); break;
        }
        return true;
    }

private:
    std::string receiving(const hub::Moment& m) {
        // the rate of the last seconds, so that it follows the line rather than the whole download
        const double passed = seconds_since(mark_);
        if (m.received < mark_bytes_ || passed > 5) {
            mark_ = Clock::now();
            mark_bytes_ = m.received;
        }
        if (passed > 0.5 && m.received > mark_bytes_) rate_ = static_cast<double>(m.received - mark_bytes_) / passed;
        const size_t most = 30;  // the whole line fits into 80 columns
        const std::string file = m.file.size() > most ? "..." + m.file.substr(m.file.size() - most + 3) : m.file;
        std::string s = file + "  " + gigabytes(m.done) + " of " + gigabytes(m.total) + "  " + std::to_string(m.total ? m.done * 100 / m.total : 100) + " %";
        if (rate_ > 0) s += "  " + gigabytes(static_cast<uint64_t>(rate_)) + "/s  " + clock_text(static_cast<double>(m.total - m.done) / rate_) + " left";
        return s;
    }

    Clock::time_point shown_{}, mark_ = Clock::now();
    uint64_t mark_bytes_ = 0;
    double rate_ = 0;
};

}  // namespace

std::string described(const hub::Reference& r) { return r.selector.empty() ? r.repo : r.repo + ":" + r.selector; }

Result<hub::Pulled> fetch(const hub::Settings& s, const hub::Reference& r, bool mmproj) {
    if (hub::has_network()) fprintf(stderr, "gemma3n: fetching %s from %s into %s\n", described(r).c_str(), s.endpoint.c_str(), s.cache.c_str());
    PullProgress progress;
    const auto begin = Clock::now();
    hub::PullOptions options;
    options.mmproj = mmproj;
    options.progress = [&](const hub::Moment& m) { return progress.at(m); };
    auto pulled = hub::pull(s, r, options);
    clear_progress();
    if (!pulled) return pulled;
    const char* files = pulled->n_files == 1 ? "file" : "files";
    if (pulled->received == 0) {
        fprintf(stderr, "gemma3n: %s is up to date: %d %s, %s\n", r.repo.c_str(), pulled->n_files, files, gigabytes(pulled->bytes).c_str());
    } else {
        const double s_passed = seconds_since(begin);
        fprintf(stderr, "gemma3n: %s: %d %s, %s, of which %s came in %.1f s (%s/s)\n", r.repo.c_str(), pulled->n_files, files, gigabytes(pulled->bytes).c_str(),
                gigabytes(pulled->received).c_str(), s_passed, gigabytes(static_cast<uint64_t>(static_cast<double>(pulled->received) / s_passed)).c_str());
    }
    return pulled;
}

int pull(const PullCommand& o) {
    if (hub::is_shipped_name(o.name)) {
        const auto path = hub::shipped_model(o.name);
        if (!path) return report(path.error());
        say(o.name + " comes with this program: there is nothing to fetch");
        write_output(*path + "\n");
        return finish_output();
    }
    const auto name = hub::parse_name(o.name);
    if (!name) return report(name.error());
    const auto settings = hub::settings(o.token, o.offline);
    if (!settings) return report(settings.error());
    std::string path;
    if (settings->offline) {
        const auto found = hub::find_model(*settings, *name, o.mmproj);
        if (!found) return report(found.error());
        if (!*found) return report({Code::not_found, "the cache " + settings->cache + " does not hold " + described(*name) + ", and nothing is fetched: --offline or HF_HUB_OFFLINE forbids it"});
        path = **found;
    } else {
        const auto pulled = fetch(*settings, *name, o.mmproj);
        if (!pulled) return report(pulled.error());
        path = pulled->path;
    }
    write_output(path + "\n");
    return finish_output();
}

}  // namespace gemma3n::cli
