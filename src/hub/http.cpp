#include "hub/http.h"

#include "gemma3n/version.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

namespace gemma3n::hub {

namespace {

constexpr int most_redirects = 10;

struct Exchange {
    const Request& request;
    Response& response;
    bool stopped = false;
};

struct Url {
    std::string scheme, host, port;
    bool operator==(const Url&) const = default;
};

std::string url_part(CURLU* u, CURLUPart part, unsigned flags = 0) {
    char* s = nullptr;
    if (curl_url_get(u, part, &s, flags) != CURLUE_OK) return "";
    std::string out = s;
    curl_free(s);
    return out;
}

// `relative` as seen from `base`, taken apart; false when it is no http address.
bool resolve(const std::string& base, const std::string& relative, std::string& whole, Url& parts) {
    CURLU* u = curl_url();
    bool good = curl_url_set(u, CURLUPART_URL, base.c_str(), 0) == CURLUE_OK && (relative.empty() || curl_url_set(u, CURLUPART_URL, relative.c_str(), 0) == CURLUE_OK);
    if (good) {
        whole = url_part(u, CURLUPART_URL);
        parts = {url_part(u, CURLUPART_SCHEME), url_part(u, CURLUPART_HOST), url_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT)};
        good = parts.scheme == "http" || parts.scheme == "https";
    }
    curl_url_cleanup(u);
    return good;
}

size_t on_header(char* data, size_t, size_t n, void* user) {
    Exchange& x = *static_cast<Exchange*>(user);
    std::string_view line(data, n);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // also after a 100 Continue or a proxy's answer: the last one counts
        x.response.headers.clear();
        return n;
    }
    const size_t colon = line.find(':');
    if (colon == line.npos) return n;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    line.remove_prefix(colon + 1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    if (x.response.headers.size() < 256) x.response.headers[name] = line;
    return n;
}

}  // namespace

static size_t on_body(char* data, size_t, size_t n, void* user) {
    auto& [x, curl] = *static_cast<std::pair<Exchange*, CURL*>*>(user);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    x->response.status = status;  // the receiver of the first piece wants to know it
    if (status < 200 || status > 299) {
        if (x->response.error_text.size() < 4096) x->response.error_text.append(data, std::min(n, size_t{4096}));
        return n;
    }
    if (x->request.body && x->request.body(x->response, {data, n})) return n;
    x->stopped = true;
    return 0;
}

static int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    Exchange& x = *static_cast<Exchange*>(user);
    if (!x.request.go_on || x.request.go_on()) return 0;
    x.stopped = true;
    return 1;
}

Http::Http() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_ = curl_easy_init();
}

Http::~Http() { curl_easy_cleanup(static_cast<CURL*>(curl_)); }

void Http::hop(const Request& r, const std::string& url, bool send_token, Response& out) {
    CURL* c = static_cast<CURL*>(curl_);
    out.status = 0;
    out.headers.clear();
    out.unreachable = false;
    Exchange x{r, out};
    std::pair<Exchange*, CURL*> body{&x, c};
    curl_easy_reset(c);  // keeps connections
    curl_slist* lines = curl_slist_append(nullptr, "Accept-Encoding: identity");  // sizes and ranges are those of the file
    if (send_token) lines = curl_slist_append(lines, ("Authorization: Bearer " + r.token).c_str());
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, lines);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "gemma3n/" GEMMA3N_VERSION);
    curl_easy_setopt(c, CURLOPT_NOBODY, r.head ? 1L : 0L);
    if (r.from > 0) curl_easy_setopt(c, CURLOPT_RANGE, (std::to_string(r.from) + "-").c_str());
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, static_cast<long>(r.stall_s));
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, static_cast<long>(r.stall_s));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, &x);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 512L * 1024);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, &x);
    for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {  // as the curl program reads them: networks with an authority of their own
        if (const char* bundle = getenv(variable); bundle && *bundle) {
            curl_easy_setopt(c, CURLOPT_CAINFO, bundle);
            break;
        }
    }
    const CURLcode code = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out.status);
    curl_slist_free_all(lines);
    out.stopped = x.stopped;
    if (code == CURLE_OK || x.stopped) return;
    for (const CURLcode c : {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE})
        out.unreachable |= code == c;
    out.trouble = why[0] ? why : curl_easy_strerror(code);
}

Result<Response> Http::exchange(const Request& r) {
    Response out;
    std::string url;
    Url first, now;
    if (!resolve(r.url, "", url, first)) return fail(Code::bad_argument, "%s is no http or https address", shown(r.url).c_str());
    now = first;
    for (int redirects = 0;; redirects++) {
        out.origin = now.scheme + "://" + now.host;
        hop(r, url, !r.token.empty() && now == first, out);
        for (const char* name : {"x-repo-commit", "x-linked-etag", "x-linked-size", "x-error-code", "x-error-message"})
            if (const std::string v = out.header(name); !v.empty()) out.linked.emplace(name, v);
        const std::string location = out.header("location");
        if (!out.trouble.empty() || out.stopped || out.status < 300 || out.status > 399 || location.empty()) return out;
        std::string next;
        Url to;
        if (!resolve(url, location, next, to)) return fail(Code::io, "%s redirects to '%s': expected an http or https address", shown(r.url).c_str(), shown(location).c_str());
        if (now.scheme == "https" && to.scheme != "https") return fail(Code::io, "%s redirects from https to http, %s: refused", shown(r.url).c_str(), shown(next).c_str());
        if (r.head && to != first && out.linked.contains("x-linked-etag")) return out;
        if (redirects == most_redirects) return fail(Code::io, "%s redirects more than %d times: it goes in circles", shown(r.url).c_str(), most_redirects);
        url = next;
        now = to;
        out.error_text.clear();
    }
}

}  // namespace gemma3n::hub
