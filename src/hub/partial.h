// A download under way, blobs/<etag>.incomplete: it grows at its end, and its checksum with it. It stays when the program ends.
#pragma once

#include "hub/digest.h"

#include <functional>

namespace gemma3n::hub {

class Partial {
public:
    explicit Partial(Digest& digest) : digest_(digest) {}
    ~Partial();
    Partial(const Partial&) = delete;

    // Takes up what is there, reading it once for the checksum; checks that the disk has room for the rest of `total` bytes.
    Status open(const std::string& path, uint64_t total, const std::function<bool(uint64_t)>& reading);
    Status append(std::string_view bytes);
    Status restart();  // from nothing
    Status sync();     // on the disk, for good
    uint64_t size() const { return size_; }

private:
    Error failure(const char* what) const;
    Digest& digest_;
    std::string path_;
    int fd_ = -1;
    uint64_t size_ = 0;
};

}  // namespace gemma3n::hub
