// One HTTP exchange over libcurl: redirects are followed here, by hand, so that the token never goes to another host than the
// hub's own. Proxies and certificates are as curl has them by default.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace gemma3n::hub {

struct Response;

struct Request {
    std::string url;
    bool head = false;          // headers only; a redirect to another host is the answer if it names the file's checksum
    std::string token;          // sent to the host of `url` only
    uint64_t from = 0;          // ask for the bytes from here on
    int stall_s = 30;
    std::function<bool(const Response&, std::string_view)> body;  // of a 2xx answer, in pieces; false: enough
    std::function<bool()> go_on;                 // asked about once a second and with every piece; false: stop
};

struct Response {
    long status = 0;                             // of the last hop; 0: none came
    std::map<std::string, std::string> headers;  // of the last hop, names in lower case
    std::map<std::string, std::string> linked;   // X-Repo-Commit and X-Linked-*, of the first hop that has them
    std::string trouble;                         // why the answer did not come whole; "" when it did
    bool unreachable = false;                    // the trouble: nobody answers at that address, or somebody else
    std::string origin;                          // of the last hop: https://host
    bool stopped = false;                        // by body or go_on
    std::string error_text;                      // what an answer that is no 2xx says, its beginning

    std::string header(const std::string& name) const {
        const auto it = headers.find(name);
        return it == headers.end() ? "" : it->second;
    }
};

class Http {
public:
    Http();
    ~Http();
    Http(const Http&) = delete;
    // An error only for what no second try would mend: an address that is none, redirects in circles or from https to http.
    Result<Response> exchange(const Request& r);

private:
    void hop(const Request& r, const std::string& url, bool send_token, Response& out);
    void* curl_;
};

}  // namespace gemma3n::hub
