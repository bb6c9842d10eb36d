// The checksums by which the hub names files: SHA-256 of the bytes for large ones, git's blob id for small ones.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gemma3n::hub {

class Digest {
public:
    // `etag`: 64 hexadecimal digits (SHA-256) or 40 (git: SHA-1 over "blob SIZE", a zero byte and the bytes). Otherwise null.
    static std::unique_ptr<Digest> of(const std::string& etag, uint64_t size);
    ~Digest();
    Digest(const Digest&) = delete;
    void restart();
    void add(std::string_view bytes);
    std::string hex();  // once

private:
    Digest(bool git, uint64_t size);
    void* context_;
    bool git_;
    uint64_t size_;
};

}  // namespace gemma3n::hub
