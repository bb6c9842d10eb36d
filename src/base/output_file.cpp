#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace gemma3n {

std::string temporary_name(const std::string& path) { return path + ".part" + std::to_string(getpid()); }

Error OutputFile::failure(const char* what) const { return fail(Code::io, "%s: cannot be %s: %s", path_.c_str(), what, strerror(errno)); }

OutputFile::~OutputFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    unlink(temporary_.c_str());
}

Status OutputFile::open(const std::string& path) {
    path_ = path;
    struct stat st {};
    if (stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) return fail(Code::io, "%s: is there already and is not a regular file", path.c_str());
    temporary_ = temporary_name(path);
    fd_ = ::open(temporary_.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0644);
    if (fd_ < 0) return failure("created");
    return {};
}

Status OutputFile::write_at(uint64_t offset, const void* data, uint64_t n) {
    const char* p = static_cast<const char*>(data);
    while (n > 0) {
        const ssize_t k = pwrite(fd_, p, n, static_cast<off_t>(offset));
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return failure("written");
        p += k;
        n -= static_cast<uint64_t>(k);
        offset += static_cast<uint64_t>(k);
    }
    return {};
}

Status OutputFile::write(const void* data, uint64_t n) {
    TRY(write_at(at_, data, n));
    at_ += n;
    return {};
}

Status OutputFile::reserve(uint64_t n_bytes) {
    const int error = posix_fallocate(fd_, 0, static_cast<off_t>(n_bytes));
    if (error == 0) return {};
    errno = error;
    return failure("given room");
}

Status OutputFile::close() {
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) {
        unlink(temporary_.c_str());
        return failure("written");
    }
    if (rename(temporary_.c_str(), path_.c_str()) != 0) {
        const Error e = failure("put in place");
        unlink(temporary_.c_str());
        return e;
    }
    return {};
}

}  // namespace gemma3n
