#include "cli/progress.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace gemma3n::cli {

static std::atomic<int> interrupts{0};
static bool line_shown = false;

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) {
        if (interrupts.fetch_add(1) > 0) _exit(130);
    };
    sigaction(SIGINT, &action, nullptr);  // without SA_RESTART: a waiting read returns
}

bool interrupted() { return interrupts.load() > 0; }
void reset_interrupt() { interrupts.store(0); }

bool Progress::at(double fraction) {
    static const bool terminal = isatty(STDERR_FILENO);
    const bool long_enough = std::chrono::steady_clock::now() - start_ > std::chrono::milliseconds(700);
    const int percent = static_cast<int>(fraction * 100);
    if (terminal && long_enough && percent != shown_) {
        fprintf(stderr, "\r\033[K%s %d %%", what_.c_str(), percent);
        fflush(stderr);
        shown_ = percent;
        line_shown = true;
    }
    return !interrupted();
}

Progress::~Progress() { clear_progress(); }

void clear_progress() {
    if (!line_shown) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    line_shown = false;
}

}  // namespace gemma3n::cli
