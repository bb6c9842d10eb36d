#include "hub/blob.h"

#include "base/file_lock.h"
#include "hub/digest.h"
#include "hub/partial.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace gemma3n::hub {

namespace fs = std::filesystem;

namespace {

Status make_folder(const std::string& path) {
    std::error_code ec;
    fs::create_directories(path, ec);
    if (ec) return fail(Code::io, "%s: cannot be created: %s", path.c_str(), ec.message().c_str());
    return {};
}

Status put_in_place(const std::string& temporary, const std::string& path) {
    if (rename(temporary.c_str(), path.c_str()) == 0) return {};
    const Error e = fail(Code::io, "%s: cannot be put in place: %s", path.c_str(), strerror(errno));
    unlink(temporary.c_str());
    return e;
}

// One attempt at the rest of the file.
class Receiver {
public:
    Receiver(Remote& remote, const RemoteFile& file, Partial& partial, const BlobProgress& progress)
        : remote_(remote), file_(file), partial_(partial), progress_(progress) {}

    Result<Response> attempt() {
        Request r{file_.url};
        const uint64_t from = r.from = partial_.size();
        bool first = true;
        refused_.clear();
        write_status_ = {};
        r.body = [&](const Response& answer, std::string_view piece) {
            if (first && !begin(answer, from)) return false;
            first = false;
            return take(piece);
        };
        return remote_.exchange(std::move(r));
    }
    const std::string& refused() const { return refused_; }  // what the server sent that cannot be the file
    const Status& written() const { return write_status_; }

private:
    bool begin(const Response& answer, uint64_t from) {
        if (answer.status == 206) {
            const std::string expected = text("bytes %llu-", static_cast<unsigned long long>(from)), found = answer.header("content-range");
            if (found.starts_with(expected)) return true;
            refused_ = "answers with the range '" + shown(found) + "': expected '" + expected + "'";
            return false;
        }
        if (from > 0) write_status_ = partial_.restart();  // the server knows no ranges: all of it comes again
        return static_cast<bool>(write_status_);
    }
    bool take(std::string_view piece) {
        if (piece.size() > file_.size - partial_.size()) {
            refused_ = text("sends more than the %llu bytes that it announced", static_cast<unsigned long long>(file_.size));
            return false;
        }
        write_status_ = partial_.append(piece);
        if (!write_status_) return false;
        progress_.received(piece.size());
        return progress_.at(Phase::receiving, partial_.size());
    }

    Remote& remote_;
    const RemoteFile& file_;
    Partial& partial_;
    const BlobProgress& progress_;
    std::string refused_;
    Status write_status_;
};

// Brings `partial` to the file's size.
Status receive(Remote& remote, const RemoteFile& file, Partial& partial, const BlobProgress& progress) {
    Receiver receiver(remote, file, partial, progress);
    Patience patience(remote.go_on());
    while (partial.size() < file.size) {
        const uint64_t before = partial.size();
        ASSIGN(Response answer, receiver.attempt());
        if (!receiver.written()) return receiver.written();
        if (!receiver.refused().empty()) {
            TRY(partial.restart());
            return fail(Code::bad_file, "%s: the server %s", shown(file.path).c_str(), receiver.refused().c_str());
        }
        if (partial.size() == file.size) break;
        if (answer.status == 416 && before > 0) {  // what lies here is not the beginning of what lies there
            TRY(partial.restart());
            continue;
        }
        if (partial.size() > before) patience.progressed();
        const bool good = answer.status == 200 || answer.status == 206;
        if (good && !answer.stopped && answer.trouble.empty()) answer.trouble = "it ended early";
        if (patience.again(answer)) continue;
        Error e = remote.explain(shown(file.path), answer);
        if (partial.size() > 0) {
            e.message += text(" (%llu of %llu bytes are kept: the same command goes on from there)", static_cast<unsigned long long>(partial.size()),
                              static_cast<unsigned long long>(file.size));
        }
        return e;
    }
    return {};
}

}  // namespace

Status fetch_blob(Remote& remote, const RemoteFile& file, const std::string& folder, const std::string& locks, const BlobProgress& progress) {
    const std::string blob = folder + "/blobs/" + file.etag;
    TRY(make_folder(folder + "/blobs"));
    TRY(make_folder(locks));
    ASSIGN(const auto lock, FileLock::take(locks + "/" + file.etag + ".lock", [&] { return progress.at(Phase::waiting, 0); }));
    std::error_code ec;
    if (fs::is_regular_file(blob, ec) && fs::file_size(blob, ec) == file.size) {
        progress.at(Phase::checking, file.size);
        return {};
    }
    const auto digest = Digest::of(file.etag, file.size);
    const std::string temporary = blob + ".incomplete";
    for (bool again = true;; again = false) {
        Partial partial(*digest);
        TRY(partial.open(temporary, file.size, [&](uint64_t n) { return progress.at(Phase::checking, n); }));
        const bool resumed = partial.size() > 0;
        if (resumed && !progress.at(Phase::receiving, partial.size())) return fail(Code::cancelled, "%s: interrupted", shown(file.path).c_str());
        TRY(receive(remote, file, partial, progress));
        const std::string found = digest->hex();
        if (found == file.etag) {
            TRY(partial.sync());
            return put_in_place(temporary, blob);
        }
        unlink(temporary.c_str());
        if (resumed && again) continue;  // its beginning may have been another program's rubbish: once more, from nothing
        return fail(Code::bad_file, "%s: what came has the checksum %s: expected %s", shown(file.path).c_str(), found.c_str(), file.etag.c_str());
    }
}

Status link_blob(const std::string& folder, const std::string& commit, const RemoteFile& file) {
    const std::string path = folder + "/snapshots/" + commit + "/" + file.path;
    std::string target = "../../blobs/" + file.etag;
    for (const char c : file.path)
        if (c == '/') target.insert(0, "../");
    TRY(make_folder(fs::path(path).parent_path()));
    std::error_code ec;
    if (fs::read_symlink(path, ec) == target) return {};
    const std::string temporary = path + ".link" + std::to_string(getpid());
    unlink(temporary.c_str());
    if (symlink(target.c_str(), temporary.c_str()) != 0) return fail(Code::io, "%s: cannot be linked: %s", path.c_str(), strerror(errno));
    return put_in_place(temporary, path);
}

Status write_ref(const std::string& folder, const std::string& commit) {
    TRY(make_folder(folder + "/refs"));
    const std::string path = folder + "/refs/main", temporary = path + ".part" + std::to_string(getpid());
    std::ofstream out(temporary);
    if (!(out << commit).flush()) return fail(Code::io, "%s: cannot be written: %s", path.c_str(), strerror(errno));
    return put_in_place(temporary, path);
}

}  // namespace gemma3n::hub
