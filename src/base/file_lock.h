// An advisory lock on a file, held by one process at a time (flock), given back when the object or the process ends.
#pragma once

#include "base/result.h"

#include <functional>
#include <memory>
#include <string>

namespace gemma3n {

class FileLock {
public:
    // Waits until the lock is had. `waiting` is asked every 50 ms meanwhile; false ends the wait with Code::cancelled.
    static Result<std::unique_ptr<FileLock>> take(const std::string& path, const std::function<bool()>& waiting);
    ~FileLock();
    FileLock(const FileLock&) = delete;

private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace gemma3n
