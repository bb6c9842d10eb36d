// UTF-8, strictly: overlong forms, surrogates and values beyond U+10FFFF are invalid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gemma3n {

// Length of the valid sequence at s[at], 0 if there is none. *cut (if given) is set when the bytes up to the end are the beginning
// of a sequence that more bytes could complete.
inline int utf8_length(std::string_view s, size_t at, bool* cut = nullptr) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
    const uint8_t b = byte(at);
    if (b < 0x80) return 1;
    const int n = b >= 0xC2 && b <= 0xDF ? 2 : b >= 0xE0 && b <= 0xEF ? 3 : b >= 0xF0 && b <= 0xF4 ? 4 : 0;
    if (n == 0) return 0;
    for (int i = 1; i < n; i++) {
        if (at + i >= s.size()) {
            if (cut) *cut = true;
            return 0;
        }
        const uint8_t low = i == 1 ? (b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80) : 0x80;
        const uint8_t high = i == 1 ? (b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF) : 0xBF;
        if (byte(at + i) < low || byte(at + i) > high) return 0;
    }
    return n;
}

inline bool is_utf8(std::string_view s) {
    for (size_t i = 0; i < s.size();) {
        const int n = utf8_length(s, i);
        if (n == 0) return false;
        i += static_cast<size_t>(n);
    }
    return true;
}

// Letters A to Z in lower case, all other bytes as they are.
inline std::string ascii_lower(std::string_view s) {
    std::string out(s);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

inline constexpr std::string_view space_mark = "\xE2\x96\x81";   // U+2581, a space inside pieces
inline constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace gemma3n
