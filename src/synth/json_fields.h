// Writing a JSON object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gemma3n::synth {

// "name": value lines of an object, in the order given.
class Fields {
public:
    explicit Fields(int indent) : indent_(static_cast<size_t>(indent), ' ') {}
    Fields& raw(const char* name, const std::string& value) {
        out_ += (out_.empty() ? "" : ",\n") + indent_ + "\"" + name + "\": " + value;
        return *this;
    }
    Fields& number(const char* name, int64_t v) { return raw(name, std::to_string(v)); }
    Fields& string(const char* name, std::string_view v) { return raw(name, "\"" + std::string(v) + "\""); }
    template <class Value>
    Fields& list(const char* name, int64_t n, Value value) {
        std::string all;
        for (int64_t i = 0; i < n; i++) all += (i ? ", " : "") + std::string(value(i));
        return raw(name, "[" + all + "]");
    }
    std::string object() const { return "{\n" + out_ + "\n" + indent_.substr(2) + "}"; }

private:
    std::string indent_, out_;
};

}  // namespace gemma3n::synth
