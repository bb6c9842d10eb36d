#include "cli/input.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gemma3n::cli {

bool read_all(std::string& out) {
    char buffer[65536];
    for (;;) {
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n == 0) return true;
        if (n < 0) return false;
        out.append(buffer, static_cast<size_t>(n));
    }
}

Line read_line(std::string& line) {
    static std::string pending;
    for (;;) {
        if (const size_t newline = pending.find('\n'); newline != std::string::npos) {
            line = pending.substr(0, newline);
            pending.erase(0, newline + 1);
            return Line::read;
        }
        char buffer[4096];
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n > 0) {
            pending.append(buffer, static_cast<size_t>(n));
        } else if (n < 0 && errno == EINTR) {
            pending.clear();
            return Line::interrupted;
        } else {
            line = std::exchange(pending, "");
            return line.empty() ? Line::end : Line::read;
        }
    }
}

}  // namespace gemma3n::cli
