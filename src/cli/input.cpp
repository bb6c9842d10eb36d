#include "cli/input.h"

#include "cli/progress.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gemma3n::cli {

Line Lines::fill() {
    pollfd fds[] = {{fd_, POLLIN, 0}, {interrupt_fd(), POLLIN, 0}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR && !interrupted()) continue;
    if (interrupted()) {
        buffer_.clear();
        used_ = 0;
        return Line::interrupted;
    }
    char bytes[65536];
    const ssize_t n = read(fd_, bytes, sizeof bytes);
    if (n <= 0) return n == 0 ? Line::end : Line::failed;
    buffer_.erase(0, std::exchange(used_, 0));
    buffer_.append(bytes, static_cast<size_t>(n));
    return Line::read;
}

Line Lines::next(std::string& line) {
    for (size_t searched = used_;;) {
        if (const size_t newline = buffer_.find('\n', searched); newline != std::string::npos) {
            line = buffer_.substr(used_, newline - used_);
            used_ = newline + 1;
            return Line::read;
        }
        searched = buffer_.size() - used_;  // where the new bytes will stand once the used ones are gone
        const Line more = fill();
        if (more == Line::read) continue;
        if (more != Line::end) return more;
        line = buffer_.substr(used_);
        used_ = buffer_.size();
        return line.empty() ? Line::end : Line::read;
    }
}

Line Lines::rest(std::string& text) {
    Line more = fill();
    while (more == Line::read) more = fill();
    text = buffer_.substr(used_);
    used_ = buffer_.size();
    return more;
}

}  // namespace gemma3n::cli
