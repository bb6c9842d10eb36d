// WAV files of a test's own making.
#pragma once

#include <cstdint>
#include <string>

namespace gemma3n::test {

inline std::string number(uint64_t v, int n) {
    std::string s;
    for (int i = 0; i < n; i++) s += static_cast<char>(v >> 8 * i);
    return s;
}

struct WavFile {
    int kind = 1, channels = 1, rate = 16000, bits = 16;
    std::string samples;
    std::string before;   // chunks ahead of the samples
    bool extensible = false, open_end = false;
    uint32_t open_size = 0xFFFFFFFF;  // what stands for the sizes of a file with an open end

    std::string bytes() const {
        const int frame = channels * bits / 8;
        std::string format = number(static_cast<uint64_t>(extensible ? 0xFFFE : kind), 2) + number(static_cast<uint64_t>(channels), 2) + number(static_cast<uint64_t>(rate), 4) +
                             number(static_cast<uint64_t>(rate) * static_cast<uint64_t>(frame), 4) + number(static_cast<uint64_t>(frame), 2) + number(static_cast<uint64_t>(bits), 2);
        if (extensible) {
            format += number(22, 2) + number(static_cast<uint64_t>(bits), 2) + number(0, 4) + number(static_cast<uint64_t>(kind), 2);
            format += std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);
        }
        const std::string body = "WAVE" + before + "fmt " + number(format.size(), 4) + format + "data" + number(open_end ? open_size : samples.size(), 4) + samples;
        return "RIFF" + number(open_end ? open_size : body.size(), 4) + body;
    }
};

}  // namespace gemma3n::test
