// What this machine can do at best, so that a speed can be read as a share of it.
#pragma once

#include "gemma3n/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n::measure {

struct RoofAt {
    int threads = 1;
    double read_gb_per_s = 0;   // plain reading of a buffer that no cache holds
    double int8_gops = 0;       // multiplications and additions, 10^9 a second
    double f32_gflops = 0;
};

struct Roof {
    std::string int8_instruction;
    uint64_t buffer_bytes = 0;
    std::vector<RoofAt> at;     // one thread, then all
};

// Bytes of the buffer that it reads: four times the last cache, 256 MB at least and 4 GB at most.
uint64_t roof_buffer_bytes();

// With the instructions of the kernel table of this name. An error
// when there is no memory for it.
Result<Roof> measure_roof(const std::string& kernels, int threads);

}  // namespace gemma3n::measure
