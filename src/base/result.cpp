#include "base/result.h"

#include "base/utf8.h"

#include <cstdio>

namespace gemma3n {

static std::string format_va(const char* format, va_list args) {
    va_list copy;
    va_copy(copy, args);
    const int n = vsnprintf(nullptr, 0, format, copy);
    va_end(copy);
    std::string out(n > 0 ? n : 0, '\0');
    if (n > 0) vsnprintf(out.data(), out.size() + 1, format, args);
    return out;
}

Error fail(Code code, const char* format, ...) {
    va_list args;
    va_start(args, format);
    Error e{code, format_va(format, args)};
    va_end(args);
    return e;
}

std::string text(const char* format, ...) {
    va_list args;
    va_start(args, format);
    std::string s = format_va(format, args);
    va_end(args);
    return s;
}

std::string shown(std::string_view s) {
    std::string out;
    for (size_t i = 0; i < s.size();) {
        const int n = utf8_length(s, i);
        const std::string_view c = n > 0 && static_cast<uint8_t>(s[i]) >= 32 && s[i] != 127 ? s.substr(i, static_cast<size_t>(n)) : "?";
        if (out.size() + c.size() > 80) return out;
        out += c;
        i += n > 0 ? static_cast<size_t>(n) : 1;
    }
    return out;
}

}  // namespace gemma3n
