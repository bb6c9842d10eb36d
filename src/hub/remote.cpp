#include "hub/remote.h"

#include "hub/digest.h"
#include "hub/names.h"

#include <simdjson.h>

#include <charconv>

namespace gemma3n::hub {

namespace {

constexpr size_t most_listing_bytes = 64u << 20;

std::string escaped(const std::string& path) {
    std::string out;
    for (const char c : path) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~/").find(c) != std::string_view::npos;
        out += plain ? std::string(1, c) : text("%%%02X", static_cast<unsigned char>(c));
    }
    return out;
}

std::string unquoted(std::string s) {
    if (s.starts_with("W/")) s = s.substr(2);
    return s.size() >= 2 && s.front() == '"' && s.back() == '"' ? s.substr(1, s.size() - 2) : s;
}

Error bad_listing(const std::string& repo, const std::string& why) { return fail(Code::bad_file, "the listing of %s %s", repo.c_str(), why.c_str()); }

}  // namespace

Result<Response> Remote::exchange(Request r) {
    r.token = s_.token;
    r.stall_s = s_.stall_s;
    r.go_on = go_on_;
    return http_.exchange(r);
}

Result<Response> Remote::insist(const Request& r) {
    for (Patience patience(go_on_);;) {
        ASSIGN(Response answer, exchange(r));
        if (!patience.again(answer)) return answer;
    }
}

Result<Listing> Remote::listing() {
    std::string json;
    Request r{s_.endpoint + "/api/models/" + repo_ + "/revision/main"};
    r.body = [&](const Response&, std::string_view piece) {
        json += piece;
        return json.size() <= most_listing_bytes;
    };
    Response answer;
    for (Patience patience(go_on_);;) {
        json.clear();
        ASSIGN(answer, exchange(r));
        if (!patience.again(answer)) break;
    }
    if (json.size() > most_listing_bytes) return bad_listing(repo_, text("is longer than %zu bytes", most_listing_bytes));
    if (answer.status != 200 || !answer.trouble.empty() || answer.stopped) return explain(repo_, answer);

    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::array siblings;
    std::string_view sha;
    if (parser.parse(json).get(root)) return bad_listing(repo_, "is not valid JSON");
    if (root["sha"].get(sha) || !is_commit(sha)) return bad_listing(repo_, "has no 'sha' of 40 hexadecimal digits");
    if (root["siblings"].get(siblings)) return bad_listing(repo_, "has no list 'siblings'");
    Listing l{std::string(sha), {}};
    for (const auto sibling : siblings) {
        std::string_view name;
        if (sibling["rfilename"].get(name)) return bad_listing(repo_, "has an entry without 'rfilename'");
        if (const std::string bad = unsafe_path(name); !bad.empty()) return bad_listing(repo_, "names the file '" + shown(name) + "', which " + bad + ": expected a path inside the repository");
        l.files.emplace_back(name);
    }
    return l;
}

Result<RemoteFile> Remote::file(const std::string& commit, const std::string& path) {
    RemoteFile f{path, s_.endpoint + "/" + repo_ + "/resolve/" + commit + "/" + escaped(path), "", 0};
    Request r{f.url};
    r.head = true;
    ASSIGN(const Response answer, insist(r));
    const auto linked = [&](const char* name, const char* plain) {
        const auto it = answer.linked.find(name);
        return it != answer.linked.end() ? it->second : answer.status == 200 ? answer.header(plain) : "";
    };
    const bool answered = answer.status == 200 || (answer.status >= 300 && answer.status < 400);
    if (!answered || !answer.trouble.empty() || answer.stopped) return explain(repo_ + ": " + shown(path), answer);
    f.etag = unquoted(linked("x-linked-etag", "etag"));
    const std::string size = linked("x-linked-size", "content-length");
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), f.size);
    if (size.empty() || error != std::errc{} || end != size.data() + size.size()) {
        return fail(Code::bad_file, "%s: the hub names no size of %s: expected X-Linked-Size or Content-Length", repo_.c_str(), shown(path).c_str());
    }
    if (!Digest::of(f.etag, f.size)) {
        return fail(Code::bad_file, "%s: the hub's mark of %s is '%s': expected a checksum of 64 or 40 hexadecimal digits, without which the file could not be checked", repo_.c_str(),
                    shown(path).c_str(), shown(f.etag).c_str());
    }
    if (const auto it = answer.linked.find("x-repo-commit"); it != answer.linked.end() && it->second != commit) {
        return fail(Code::bad_file, "%s: %s is of commit '%s': expected %s", repo_.c_str(), shown(path).c_str(), shown(it->second).c_str(), commit.c_str());
    }
    return f;
}

Error Remote::explain(const std::string& what, const Response& r) const {
    const auto linked = r.linked.find("x-error-code");
    const std::string error_code = linked == r.linked.end() ? "" : linked->second;
    const char *repo = repo_.c_str(), *endpoint = s_.endpoint.c_str();
    const std::string how = "--token, HF_TOKEN or the file " + s_.token_file;
    if (r.stopped) return fail(Code::cancelled, "%s: interrupted", what.c_str());
    if (r.unreachable) return fail(Code::io, "%s: %s cannot be reached: %s", what.c_str(), r.origin.c_str(), r.trouble.c_str());
    if (!r.trouble.empty()) return fail(Code::io, "%s: the connection failed: %s", what.c_str(), r.trouble.c_str());
    if (r.status == 401 && !s_.token.empty() && error_code != "GatedRepo") {
        return fail(Code::io, "%s: the hub refuses the access token, or %s is not there: expected a valid one (%s)", what.c_str(), repo, how.c_str());
    }
    if (error_code == "GatedRepo" || r.status == 403) {
        return fail(Code::io, "%s is gated: accept its licence at %s/%s and give an access token from %s/settings/tokens (%s)", repo, endpoint, repo, endpoint, how.c_str());
    }
    if (r.status == 401) {
        return fail(Code::not_found, "%s is not at %s, or is private or gated: its page %s/%s says which; an access token is given by %s", repo, endpoint, endpoint, repo, how.c_str());
    }
    if (r.status == 404) return fail(Code::not_found, "%s is not at %s: it answers 404", what.c_str(), endpoint);
    if (r.status == 429) return fail(Code::io, "%s: the hub asks for fewer requests (429): try again later, or with an access token (%s)", what.c_str(), how.c_str());
    return fail(Code::io, "%s: the hub answers %ld%s%s", what.c_str(), r.status, r.error_text.empty() ? "" : ": ", shown(r.error_text).c_str());
}

}  // namespace gemma3n::hub
