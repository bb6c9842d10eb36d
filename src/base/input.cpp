#include "base/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gemma3n {

Result<std::unique_ptr<Input>> Input::open(const std::string& path, const std::function<bool()>& waiting) {
    std::unique_ptr<Input> in(new Input);
    in->waiting_ = waiting;
    if (path == "-") {
        in->name_ = "standard input";
        in->fd_ = STDIN_FILENO;
    } else {
        in->name_ = path;
        in->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe without a writer is waited for where it is read
        if (in->fd_ < 0) return fail(errno == ENOENT ? Code::not_found : Code::io, "%s: cannot be opened: %s", path.c_str(), strerror(errno));
    }
    struct stat st {};
    if (fstat(in->fd_, &st) != 0) return fail(Code::io, "%s: cannot be examined: %s", in->name_.c_str(), strerror(errno));
    if (S_ISDIR(st.st_mode)) return fail(Code::bad_file, "%s: is a directory", in->name_.c_str());
    if (S_ISREG(st.st_mode) && lseek(in->fd_, 0, SEEK_CUR) == 0) in->size_ = st.st_size;  // standard input may be a file already half read
    return in;
}

std::unique_ptr<Input> Input::of(std::span<const std::byte> bytes, const std::string& name) {
    std::unique_ptr<Input> in(new Input);
    in->name_ = name;
    in->memory_ = bytes;
    in->size_ = static_cast<int64_t>(bytes.size());
    return in;
}

Input::~Input() {
    if (fd_ > STDERR_FILENO) close(fd_);
}

// One read from below.
Result<size_t> Input::fetch(std::span<std::byte> out) {
    if (fd_ < 0) {
        const size_t n = std::min<size_t>(out.size(), memory_.size() - at_);
        if (n > 0) memcpy(out.data(), memory_.data() + at_, n);
        at_ += n;
        return n;
    }
    for (;;) {
        if (size_ < 0) {
            pollfd p{fd_, POLLIN, 0};
            const int ready = poll(&p, 1, waiting_ ? 50 : -1);
            if (ready < 0 && errno != EINTR) return fail(Code::io, "%s: cannot be waited for: %s", name_.c_str(), strerror(errno));
            if (ready <= 0) {
                if (waiting_ && !waiting_()) return fail(Code::cancelled, "%s: the wait for more was ended", name_.c_str());
                continue;
            }
        }
        const ssize_t n = ::read(fd_, out.data(), out.size());
        if (n >= 0) return static_cast<size_t>(n);
        if (errno != EINTR && errno != EAGAIN) return fail(Code::io, "%s: cannot be read: %s", name_.c_str(), strerror(errno));
    }
}

Result<size_t> Input::read(std::span<std::byte> out) {
    if (out.empty()) return size_t{0};
    if (used_ == peeked_.size()) return fetch(out);
    const size_t n = std::min(out.size(), peeked_.size() - used_);
    memcpy(out.data(), peeked_.data() + used_, n);
    used_ += n;
    if (used_ == peeked_.size()) peeked_.clear(), used_ = 0;
    return n;
}

Result<std::span<const std::byte>> Input::peek(size_t n) {
    while (peeked_.size() - used_ < n) {
        const size_t had = peeked_.size();
        peeked_.resize(used_ + n);
        auto got = fetch(std::span(peeked_).subspan(had));
        peeked_.resize(had + (got ? *got : 0));
        if (!got) return got.error();
        if (*got == 0) break;
    }
    return std::span<const std::byte>(peeked_).subspan(used_, std::min(n, peeked_.size() - used_));
}

Result<std::vector<std::byte>> Input::rest(uint64_t most) {
    std::vector<std::byte> all;
    for (size_t n = 0;;) {
        all.resize(std::max<size_t>({all.size(), n + 4096, seekable() && n == 0 ? static_cast<size_t>(std::min<uint64_t>(most, static_cast<uint64_t>(size_))) + 1 : 2 * n}));
        ASSIGN(const size_t got, read(std::span(all).subspan(n)));
        n += got;
        if (n > most) return fail(Code::bad_file, "%s: has more than %llu bytes", name_.c_str(), static_cast<unsigned long long>(most));
        if (got > 0) continue;
        all.resize(n);
        return all;
    }
}

Status Input::seek(int64_t offset) {
    if (!seekable()) return fail(Code::io, "%s: is a pipe, which cannot be read again", name_.c_str());
    peeked_.clear(), used_ = 0;
    if (fd_ < 0) {
        at_ = static_cast<uint64_t>(std::clamp<int64_t>(offset, 0, size_));
    } else if (lseek(fd_, offset, SEEK_SET) < 0) {
        return fail(Code::io, "%s: cannot be read from %lld on: %s", name_.c_str(), static_cast<long long>(offset), strerror(errno));
    }
    return {};
}

}  // namespace gemma3n
