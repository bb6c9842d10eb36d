#include "hub/pull.h"

#include "hub/blob.h"
#include "hub/cache.h"
#include "hub/remote.h"
#include "hub/selection.h"

namespace gemma3n::hub {

bool has_network() { return true; }

Result<Pulled> pull(const Settings& s, const Reference& r, const PullOptions& options) {
    Moment now;
    const auto tell = [&] { return !options.progress || options.progress(now); };
    Remote remote(s, r.repo, tell);
    ASSIGN(const Listing listing, remote.listing());
    ASSIGN(const Selection chosen, select_files(listing.files, r, options.mmproj));
    std::vector<RemoteFile> files;
    for (const std::string& path : chosen.files) {
        now.file = path;
        ASSIGN(RemoteFile f, remote.file(listing.commit, path));
        if (f.size > UINT64_MAX / 2 - now.total) return fail(Code::bad_file, "%s: the hub says that %s has %llu bytes", r.repo.c_str(), shown(path).c_str(), static_cast<unsigned long long>(f.size));
        now.total += f.size;
        files.push_back(std::move(f));
    }
    const std::string folder = repo_folder(s, r.repo), locks = s.cache + "/.locks/" + folder.substr(folder.rfind('/') + 1);
    Pulled pulled{"", static_cast<int>(files.size()), now.total, 0};
    uint64_t before = 0;  // bytes of the files that are done
    for (const RemoteFile& f : files) {
        now.file = f.path;
        BlobProgress progress;
        progress.at = [&](Phase phase, uint64_t have) {
            now.phase = phase;
            now.done = before + have;
            return tell();
        };
        progress.received = [&](uint64_t n) { now.received = pulled.received += n; };
        TRY(fetch_blob(remote, f, folder, locks, progress));
        TRY(link_blob(folder, listing.commit, f));
        before += f.size;
    }
    TRY(write_ref(folder, listing.commit));  // last: main never names a snapshot that this call left unfinished
    const std::string snapshot = folder + "/snapshots/" + listing.commit;
    pulled.path = chosen.directory ? snapshot : snapshot + "/" + chosen.files[0];
    return pulled;
}

}  // namespace gemma3n::hub
