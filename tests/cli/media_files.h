// A tiny model with towers, and small files for it.
#pragma once

#include "cli/command.h"

#include <cmath>
#include <cstdint>
#include <filesystem>

namespace gemma3n::test {

// The tiny model with its towers beside it.
inline const std::string& towered() {
    static const std::string path = [] {
        const std::string own = folder().path() + "/towers";
        std::filesystem::create_directories(own);
        const Ran made = command({"synth", "--size", "tiny", "--type", "q8_0", "--seed", "1", "--towers", "-o", own + "/m.gguf"});
        if (made.code != 0) throw std::runtime_error("the model cannot be made: " + made.err);
        return own + "/m.gguf";
    }();
    return path;
}

// The tiny model alone: other tests put projectors beside tiny().
inline const std::string& towerless() {
    static const std::string path = [] {
        const std::string own = folder().path() + "/towerless";
        std::filesystem::create_directories(own);
        std::filesystem::copy_file(tiny(), own + "/m.gguf");
        return own + "/m.gguf";
    }();
    return path;
}

inline std::string media(const std::string& name) { return std::string(G3N_SOURCE_DIR) + "/tests/media/data/" + name; }
inline std::string red() { return media("pictures/rgb8.png"); }

// 16 kHz WAV: tones of tone_s seconds with a fifth of a second of silence behind each.
inline std::string wav_bytes(double seconds, double tone_s = 1) {
    const auto n = static_cast<uint32_t>(seconds * 16000);
    std::string s;
    const auto u32 = [&](uint32_t v) { s.append(reinterpret_cast<const char*>(&v), 4); };
    const auto u16 = [&](uint16_t v) { s.append(reinterpret_cast<const char*>(&v), 2); };
    s += "RIFF", u32(36 + 2 * n), s += "WAVEfmt ", u32(16), u16(1), u16(1), u32(16000), u32(32000), u16(2), u16(16), s += "data", u32(2 * n);
    for (uint32_t i = 0; i < n; i++) {
        const double t = i / 16000.0, in_tone = std::fmod(t, tone_s + 0.2);
        u16(static_cast<uint16_t>(static_cast<int16_t>(in_tone < tone_s ? 8000 * std::sin(2 * M_PI * (200 + 50 * std::floor(t)) * t) : 0)));
    }
    return s;
}
inline std::string wav(const std::string& name, double seconds) { return write_file(name, wav_bytes(seconds)); }

}  // namespace gemma3n::test
