#include "cli/progress.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

namespace gemma3n::cli {

static std::atomic<int> interrupts{0};
static bool line_shown = false;

static int wake[2] = {-1, -1};

void catch_interrupts() {
    if (pipe(wake) != 0) wake[0] = wake[1] = -1;  // poll() passes over -1: a second Ctrl-C still ends the process
    for (const int fd : wake) fcntl(fd, F_SETFD, FD_CLOEXEC), fcntl(fd, F_SETFL, O_NONBLOCK);
    struct sigaction action {};
    action.sa_handler = [](int) {
        const int kept = errno;
        if (interrupts.fetch_add(1) > 0) _exit(130);
        [[maybe_unused]] const ssize_t n = write(wake[1], "", 1);
        errno = kept;
    };
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
}

bool interrupted() { return interrupts.load() > 0; }

void reset_interrupt() {
    char c;
    while (read(wake[0], &c, 1) > 0) continue;
    interrupts.store(0);
}

int interrupt_fd() { return wake[0]; }

bool Progress::at(double fraction) {
    if (interrupted()) return false;
    static const bool terminal = isatty(STDERR_FILENO);
    const bool long_enough = std::chrono::steady_clock::now() - start_ > std::chrono::milliseconds(700);
    const int percent = static_cast<int>(fraction * 100);
    if (terminal && long_enough && percent != shown_) {
        fprintf(stderr, "\r\033[K%s %d %%", what_.c_str(), percent);
        fflush(stderr);
        shown_ = percent;
        line_shown = true;
    }
    return true;
}

Progress::~Progress() { clear_progress(); }

void clear_progress() {
    if (!line_shown) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    line_shown = false;
}

}  // namespace gemma3n::cli
