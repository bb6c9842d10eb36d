#include "base/result.h"

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

}  // namespace gemma3n
