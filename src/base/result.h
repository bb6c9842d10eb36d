// Short forms for code that hands errors up. The types themselves are public: gemma3n/status.h.
#pragma once

#include "gemma3n/status.h"

#include <cstdarg>
#include <string>
#include <string_view>

namespace gemma3n {

// printf into an Error's sentence: fail(Code::bad_file, "%s: tensor '%s' has ...", ...)
[[gnu::format(printf, 2, 3)]] Error fail(Code code, const char* format, ...);

// printf into a std::string.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

// A string from a file or a user, fit for a sentence: 80 bytes at most, whole characters, no control characters.
std::string shown(std::string_view s);

}  // namespace gemma3n

#define G3N_JOIN2(a, b) a##b
#define G3N_JOIN(a, b) G3N_JOIN2(a, b)

// Returns the error of a Status expression to the caller.
#define TRY(expression)                              \
    do {                                             \
        auto try_status = (expression);              \
        if (!try_status) return try_status.error();  \
    } while (0)

// ASSIGN(auto x, call()) declares x from a Result or returns its error.
#define ASSIGN(declaration, expression)                          \
    auto G3N_JOIN(assign_, __LINE__) = (expression);             \
    if (!G3N_JOIN(assign_, __LINE__)) return G3N_JOIN(assign_, __LINE__).error(); \
    declaration = std::move(*G3N_JOIN(assign_, __LINE__))
