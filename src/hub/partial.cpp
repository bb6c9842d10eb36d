#include "hub/partial.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace gemma3n::hub {

Error Partial::failure(const char* what) const { return fail(Code::io, "%s: cannot be %s: %s", path_.c_str(), what, strerror(errno)); }

Partial::~Partial() {
    if (fd_ >= 0) close(fd_);
}

Status Partial::open(const std::string& path, uint64_t total, const std::function<bool(uint64_t)>& reading) {
    path_ = path;
    digest_.restart();
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd_ < 0) return failure("opened");
    std::vector<char> buffer(1 << 20);
    for (;;) {
        const ssize_t n = pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(size_));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failure("read");
        if (n == 0) break;
        digest_.add({buffer.data(), static_cast<size_t>(n)});
        size_ += static_cast<uint64_t>(n);
        if (size_ > total) {  // it is no beginning of this file
            TRY(restart());
            break;
        }
        if (!reading(size_)) return fail(Code::cancelled, "%s: interrupted", path_.c_str());
    }
    struct statvfs disk {};
    if (statvfs(path.c_str(), &disk) != 0) return failure("examined");
    const uint64_t room = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
    if (room < total - size_) {
        if (size_ == 0) unlink(path.c_str());
        return fail(Code::io, "%s: the disk has room for %.2f GB: expected %.2f GB for the rest of the file", path.c_str(), static_cast<double>(room) / 1e9,
                    static_cast<double>(total - size_) / 1e9);
    }
    return {};
}

Status Partial::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return failure("written");
        digest_.add(bytes.substr(0, static_cast<size_t>(n)));
        size_ += static_cast<uint64_t>(n);
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return {};
}

Status Partial::restart() {
    if (ftruncate(fd_, 0) != 0) return failure("emptied");
    size_ = 0;
    digest_.restart();
    return {};
}

Status Partial::sync() {
    if (fsync(fd_) != 0) return failure("written");
    return {};
}

}  // namespace gemma3n::hub
