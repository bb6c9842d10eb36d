#include "media/footprint.h"

#include "gemma3n/media.h"

#include <atomic>

namespace gemma3n::media {

namespace {

std::atomic<uint64_t> held{0};
std::atomic<bool> began{false};

}  // namespace

Footprint::Footprint(uint64_t bytes) : bytes_(bytes) {
    began = true;
    held += bytes;
}

Footprint::~Footprint() { held -= bytes_; }

uint64_t Footprint::now() { return began ? sound_decoder_bytes + held : 0; }

}  // namespace gemma3n::media
