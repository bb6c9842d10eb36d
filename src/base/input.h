// Bytes in their order, from a file, a pipe, standard input or memory: what decoders read.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gemma3n {

class Input {
public:
    // "-" is standard input. `waiting` is asked about every 50 ms while a pipe gives nothing; false ends the wait with Code::cancelled.
    static Result<std::unique_ptr<Input>> open(const std::string& path, const std::function<bool()>& waiting = {});
    static std::unique_ptr<Input> of(std::span<const std::byte> bytes, const std::string& name);  // bytes must outlive it
    ~Input();
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    const std::string& name() const { return name_; }
    // What has arrived, out.size() bytes at most, at least one unless the end is reached: then 0.
    Result<size_t> read(std::span<std::byte> out);
    // The next n bytes, fewer only at the end. They stay to be read.
    Result<std::span<const std::byte>> peek(size_t n);
    // All that is left; more than `most` bytes are an error.
    Result<std::vector<std::byte>> rest(uint64_t most);

    // Of files and memory; pipes have none and cannot seek.
    bool seekable() const { return size_ >= 0; }
    int64_t size() const { return size_; }  // bytes, -1 of a pipe
    Status seek(int64_t offset);

private:
    Input() = default;
    Result<size_t> fetch(std::span<std::byte> out);

    std::string name_;
    std::function<bool()> waiting_;
    std::span<const std::byte> memory_;
    int fd_ = -1;  // -1: memory
    int64_t size_ = -1;
    uint64_t at_ = 0;                // of memory
    std::vector<std::byte> peeked_;  // read from below, not yet given out
    size_t used_ = 0;                // of peeked_
};

}  // namespace gemma3n
