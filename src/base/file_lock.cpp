#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace gemma3n {

Result<std::unique_ptr<FileLock>> FileLock::take(const std::string& path, const std::function<bool()>& waiting) {
    for (;;) {
        const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0664);  // the group may wait too, as other users of such locks have it
        if (fd < 0) return fail(Code::io, "%s: cannot be opened to lock it: %s", path.c_str(), strerror(errno));
        std::unique_ptr<FileLock> lock(new FileLock(fd));
        while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR) return fail(Code::io, "%s: cannot be locked: %s", path.c_str(), strerror(errno));
            if (!waiting()) return fail(Code::cancelled, "%s: interrupted while another process held the lock", path.c_str());
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        // whoever held it may have removed the file: a lock on a name that is gone locks nobody out
        struct stat mine {}, named {};
        if (fstat(fd, &mine) == 0 && stat(path.c_str(), &named) == 0 && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev) return lock;
    }
}

FileLock::~FileLock() { close(fd_); }

}  // namespace gemma3n
