// A file for a test, gone when the test is.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gemma3n::test {

class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view content = {}) {
        std::string pattern = (std::filesystem::temp_directory_path() / "gemma3n-file-XXXXXX").string();
        const int fd = mkstemp(pattern.data());
        if (fd < 0) throw std::runtime_error("no temporary file");
        close(fd);
        path_ = pattern;
        write(content);
    }
    ~TemporaryFile() { unlink(path_.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;

    const std::string& path() const { return path_; }
    void write(std::string_view content) const {
        std::ofstream(path_, std::ios::binary | std::ios::trunc).write(content.data(), static_cast<std::streamsize>(content.size()));
    }
    void truncate(uint64_t n) const { std::filesystem::resize_file(path_, n); }

private:
    std::string path_;
};

}  // namespace gemma3n::test
