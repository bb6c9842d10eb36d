// Text from a pipe, a file or a person, whole or line by line. Ctrl-C ends every wait.
#pragma once

#include <string>

namespace gemma3n::cli {

enum class Line { read, end, failed, interrupted };  // failed: errno says why

class Lines {
public:
    explicit Lines(int fd) : fd_(fd) {}
    // The next line without its \n, which alone ends one; the last may lack it.
    Line next(std::string& line);
    // All that is left.
    Line rest(std::string& text);

private:
    Line fill();  // read: there is more in buffer_ than before
    int fd_;
    std::string buffer_;
    size_t used_ = 0;  // bytes of buffer_ that were given out
};

}  // namespace gemma3n::cli
