// One line of progress on standard error, only when it is a terminal and only for work that takes a while. Doubles as the place
// where an interrupt is noticed: at() is false once Ctrl-C was pressed.
#pragma once

#include <chrono>
#include <string>

namespace gemma3n::cli {

class Progress {
public:
    explicit Progress(std::string what) : what_(std::move(what)), start_(std::chrono::steady_clock::now()) {}
    ~Progress();
    bool at(double fraction, const std::string& note = "");  // the note follows the percentage

private:
    std::string what_;
    std::chrono::steady_clock::time_point start_;
    int shown_ = -1;  // percent
};

// Any line in the place of the progress line; nothing when standard error is no terminal.
void progress_line(const std::string& line);
void clear_progress();

// Ctrl-C sets a flag; a second one, while the first is not yet answered, ends the process.
void catch_interrupts();
bool interrupted();
void reset_interrupt();
// Readable once Ctrl-C was pressed, so that a wait for input can wait for both and misses neither.
int interrupt_fd();

}  // namespace gemma3n::cli
