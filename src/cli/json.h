// A JSON object under construction, a key a line.
#pragma once

#include "cli/commands.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

namespace gemma3n::cli {

template <class T>
std::string json_number(T x) {
    if constexpr (std::is_floating_point_v<T>) {
        if (!std::isfinite(x)) return "null";
        char s[32];
        snprintf(s, sizeof s, "%.10g", static_cast<double>(x));
        return s;
    } else {
        return std::to_string(x);
    }
}

template <class T>
std::string json_list(const std::vector<T>& v) {
    std::string s = "[";
    for (const T& x : v) s += (s.size() > 1 ? ", " : "") + json_number(x);
    return s + "]";
}

class Json {
public:
    Json& raw(const std::string& key, const std::string& value) {
        s_ += (s_.empty() ? "\n " : ",\n ") + json_string(key) + ": " + value;
        return *this;
    }
    Json& add(const std::string& key, const std::string& value) { return raw(key, json_string(value)); }
    template <class T>
        requires std::is_arithmetic_v<T>
    Json& add(const std::string& key, T value) { return raw(key, json_number(value)); }
    std::string str() const { return "{" + s_ + "\n}"; }

private:
    std::string s_;
};

}  // namespace gemma3n::cli
