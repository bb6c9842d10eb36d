// The committed files of tests/media/data, and the sum that their pixels are held against.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace gemma3n::test {

inline std::string data_path(const std::string& name) { return std::string(G3N_SOURCE_DIR) + "/tests/media/data/" + name; }

inline std::string content(const std::string& name) {
    std::ifstream in(data_path(name), std::ios::binary);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::span<const std::byte> bytes_of(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

inline uint32_t crc32(std::span<const uint8_t> bytes) {
    uint32_t c = ~0u;
    for (const uint8_t b : bytes) {
        c ^= b;
        for (int i = 0; i < 8; i++) c = c >> 1 ^ (c & 1 ? 0xEDB88320 : 0);
    }
    return ~c;
}

}  // namespace gemma3n::test
