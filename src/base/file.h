// A read-only file: mapped for weights that are used as they lie, pread for rows that must not become resident.
//
// A mapped file can shrink or fail while it is mapped. The page then raises SIGBUS; a handler (installed by the first open)
// puts zero pages in its place, marks the file broken and lets the computation run on, so that the step loop, which asks
// intact() after each step, ends the request with a sentence and the process lives. Signals that are not ours go on to
// whichever handler was there before.
#pragma once

#include "base/result.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gemma3n {

uint64_t page_bytes();  // of the system's memory

enum class Advice {
    will_need,  // read ahead
    dont_need,  // give the pages back; they are read again when touched
};

class File {
public:
    // Opens and maps `path`. An empty file, a directory or a missing file is an error.
    static Result<std::shared_ptr<File>> open(const std::string& path);
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    const std::string& path() const { return path_; }
    uint64_t size() const { return size_; }
    const std::byte* data() const { return data_; }  // size() bytes

    // pread of exactly out.size() bytes at `offset`; thread-safe.
    Status read(uint64_t offset, std::span<std::byte> out) const;

    // Page-rounded advice for a range of the mapping.
    void advise(uint64_t offset, uint64_t n_bytes, Advice advice) const;

    // An error once a mapped page could not be read or the file was seen to have shrunk, for good. Costs one fstat.
    Status intact() const;

private:
    File() = default;
    friend struct BusHandler;
    std::string path_;
    int fd_ = -1;
    uint64_t size_ = 0;
    std::byte* data_ = nullptr;
    mutable std::atomic<bool> broken_{false};
};

}  // namespace gemma3n
