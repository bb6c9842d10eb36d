#include "media/samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gemma3n::media {

namespace {

template <class T>
T load(const std::byte* p) {
    T v;
    memcpy(&v, p, sizeof v);
    return v;
}

template <class T>
float from_float(const std::byte* p) {
    const T v = load<T>(p);
    return std::isnan(v) ? 0.0f : static_cast<float>(std::clamp<T>(v, -1, 1));
}

// G.711: sign, three bits of exponent, four of mantissa, of 13 and 14 bits, here in 16.
float from_a_law(const std::byte* p) {
    const int code = std::to_integer<int>(*p) ^ 0x55, exponent = code >> 4 & 7, mantissa = (code & 15) << 4;
    const int size = exponent == 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
    return static_cast<float>(code & 0x80 ? size : -size) / 32768;
}
float from_mu_law(const std::byte* p) {
    const int code = ~std::to_integer<int>(*p), exponent = code >> 4 & 7, mantissa = (code & 15) << 3;
    const int size = ((mantissa + 0x84) << exponent) - 0x84;
    return static_cast<float>(code & 0x80 ? -size : size) / 32768;
}

template <class F>
void mix_as(F value, std::span<const std::byte* const> channels, int64_t stride, int64_t n, float* out) {
    if (channels.size() == 1) {
        for (int64_t i = 0; i < n; i++) out[i] = value(channels[0] + i * stride);
        return;
    }
    const float count = static_cast<float>(channels.size());
    for (int64_t i = 0; i < n; i++) {
        float sum = 0;
        for (const std::byte* c : channels) sum += value(c + i * stride);
        out[i] = sum / count;
    }
}

}  // namespace

int64_t bytes_per(Sample s) {
    switch (s) {
        case Sample::u8: case Sample::a_law: case Sample::mu_law: return 1;
        case Sample::s16: return 2;
        case Sample::s24: return 3;
        case Sample::s32: case Sample::f32: return 4;
        case Sample::s64: case Sample::f64: return 8;
    }
    return 1;
}

void mix(Sample kind, std::span<const std::byte* const> channels, int64_t stride, int64_t n, std::vector<float>& mono) {
    const size_t had = mono.size();
    mono.resize(had + static_cast<size_t>(n));
    const auto as = [&](auto value) { mix_as(value, channels, stride, n, mono.data() + had); };
    switch (kind) {
        case Sample::u8: return as([](const std::byte* p) { return static_cast<float>(std::to_integer<int>(*p) - 128) / 128; });
        case Sample::s16: return as([](const std::byte* p) { return static_cast<float>(load<int16_t>(p)) / 32768; });
        case Sample::s24: return as([](const std::byte* p) {
            const uint32_t v = std::to_integer<uint32_t>(p[0]) << 8 | std::to_integer<uint32_t>(p[1]) << 16 | std::to_integer<uint32_t>(p[2]) << 24;
            return static_cast<float>(static_cast<int32_t>(v)) / 2147483648.0f;
        });
        case Sample::s32: return as([](const std::byte* p) { return static_cast<float>(load<int32_t>(p)) / 2147483648.0f; });
        case Sample::s64: return as([](const std::byte* p) { return static_cast<float>(load<int64_t>(p)) / 9223372036854775808.0f; });
        case Sample::f32: return as(from_float<float>);
        case Sample::f64: return as(from_float<double>);
        case Sample::a_law: return as(from_a_law);
        case Sample::mu_law: return as(from_mu_law);
    }
}

}  // namespace gemma3n::media
