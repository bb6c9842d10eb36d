// The command in a pseudo-terminal, as a person sits before it.
#pragma once

#include "cli/command.h"

#include <pty.h>

namespace gemma3n::test {

class Terminal {
public:
    // Standard input is the terminal, or `input`.
    explicit Terminal(const Args& args, int input = -1) {
        child_ = forkpty(&fd_, nullptr, nullptr, nullptr);
        if (child_ == 0 && input >= 0) dup2(input, 0);
        if (child_ == 0) become_command(args);
        if (child_ < 0) throw std::runtime_error("no pseudo-terminal");
    }
    ~Terminal() {
        if (child_ > 0) {
            kill(child_, SIGKILL);
            waitpid(child_, nullptr, 0);
        }
        close(fd_);
    }
    Terminal(const Terminal&) = delete;

    void type(const std::string& keys) { [[maybe_unused]] const ssize_t n = write(fd_, keys.data(), keys.size()); }

    // Reads until `text` has come after all that was waited for before; false when it does not come.
    bool shows(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(10)) {
        const auto end = Clock::now() + limit;
        for (;;) {
            if (const size_t at = screen_.find(text, seen_); at != std::string::npos) {
                seen_ = at + text.size();
                return true;
            }
            if (Clock::now() > end || !more()) return false;
        }
    }

    // Reads until that many bytes have come after all that was waited for before.
    bool shows_bytes(size_t n, std::chrono::seconds limit = std::chrono::seconds(10)) {
        const auto end = Clock::now() + limit;
        while (screen_.size() < seen_ + n)
            if (Clock::now() > end || !more()) return false;
        seen_ = screen_.size();
        return true;
    }

    // The exit code once the command has ended; -1 when it does not end.
    int ends(std::chrono::seconds limit = std::chrono::seconds(10)) {
        const auto end = Clock::now() + limit;
        for (int status; Clock::now() < end; more()) {
            if (waitpid(child_, &status, WNOHANG) != child_) continue;
            child_ = -1;
            while (more()) continue;
            return exit_code(status);
        }
        return -1;
    }

    const std::string& screen() const { return screen_; }

private:
    // Takes what comes within a tenth of a second; false when the other side is gone.
    bool more() {
        pollfd p{fd_, POLLIN, 0};
        if (poll(&p, 1, 100) <= 0) return child_ > 0;
        char buffer[65536];
        const ssize_t n = read(fd_, buffer, sizeof buffer);
        if (n > 0) screen_.append(buffer, static_cast<size_t>(n));
        return n > 0;
    }

    pid_t child_ = -1;
    int fd_ = -1;
    std::string screen_;
    size_t seen_ = 0;
};

}  // namespace gemma3n::test
