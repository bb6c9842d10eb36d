// A file under construction: written under a temporary name, renamed when it is whole, removed when it is not. Nothing broken is
// ever left under the good name.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>

namespace gemma3n {

// A name beside `path` that no other process takes.
std::string temporary_name(const std::string& path);

class OutputFile {
public:
    OutputFile() = default;
    ~OutputFile();  // removes the temporary file unless close() succeeded
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    Status open(const std::string& path);
    Status write(const void* data, uint64_t n);                      // at the end of what was written so far
    Status write_at(uint64_t offset, const void* data, uint64_t n);  // thread-safe
    Status reserve(uint64_t n_bytes);                                // sets the size; a full disk is found here
    Status close();

    uint64_t written() const { return at_; }

private:
    Error failure(const char* what) const;
    std::string path_, temporary_;
    int fd_ = -1;
    uint64_t at_ = 0;
};

}  // namespace gemma3n
