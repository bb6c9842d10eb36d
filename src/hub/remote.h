// The hub's interface, as far as a download needs it: what a repository holds, and size and checksum of a file.
#pragma once

#include "hub/patience.h"
#include "hub/settings.h"

#include <vector>

namespace gemma3n::hub {

struct Listing {
    std::string commit;
    std::vector<std::string> files;  // checked: each stays inside a folder it is put in
};

struct RemoteFile {
    std::string path, url;
    std::string etag;  // 64 (SHA-256) or 40 (git) hexadecimal digits
    uint64_t size = 0;
};

class Remote {
public:
    Remote(const Settings& s, std::string repo, std::function<bool()> go_on) : s_(s), repo_(std::move(repo)), go_on_(std::move(go_on)) {}
    Result<Listing> listing();
    Result<RemoteFile> file(const std::string& commit, const std::string& path);

    // For hub/blob: one exchange with the token where it belongs, and the sentence for an answer that is not what was hoped for.
    Result<Response> exchange(Request r);
    Error explain(const std::string& what, const Response& r) const;
    const std::function<bool()>& go_on() const { return go_on_; }

private:
    Result<Response> insist(const Request& r);
    const Settings& s_;
    std::string repo_;
    std::function<bool()> go_on_;
    Http http_;
};

}  // namespace gemma3n::hub
