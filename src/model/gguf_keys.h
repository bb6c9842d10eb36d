// Typed values of GGUF metadata under a prefix. A wrong type is a sentence that names file and key.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace gemma3n::model {

class Keys {
public:
    Keys(const format::Checkpoint& c, std::string prefix) : c_(c), prefix_(std::move(prefix)) {}

    const format::MetaValue* find(const std::string& name) const {
        const auto it = c_.metadata().find(prefix_ + name);
        return it == c_.metadata().end() ? nullptr : &it->second;
    }
    std::optional<double> number(const std::string& name) const {
        const format::MetaValue* v = find(name);
        if (!v) return std::nullopt;
        if (const auto* i = std::get_if<int64_t>(v)) return static_cast<double>(*i);
        if (const auto* d = std::get_if<double>(v)) return *d;
        if (const auto* b = std::get_if<bool>(v)) return *b;
        return std::nullopt;
    }
    Result<int64_t> count(const std::string& name) const {
        const auto v = number(name);
        if (v && std::isfinite(*v) && std::fabs(*v) < 9e15 && *v == std::floor(*v)) return static_cast<int64_t>(*v);
        return fail(Code::bad_file, "%s: metadata key '%s%s' %s: expected a whole number", c_.path().c_str(), prefix_.c_str(), name.c_str(),
                    find(name) ? "is not one" : "is missing");
    }
    Result<int64_t> count_or(const std::string& name, int64_t otherwise) const {
        if (!find(name)) return otherwise;
        return count(name);
    }
    Result<float> real(const std::string& name, double otherwise) const {
        if (!find(name)) return static_cast<float>(otherwise);
        if (const auto v = number(name)) return static_cast<float>(*v);
        return fail(Code::bad_file, "%s: metadata key '%s%s' is not a number", c_.path().c_str(), prefix_.c_str(), name.c_str());
    }
    float real_or(const std::string& name, double otherwise) const { return static_cast<float>(number(name).value_or(otherwise)); }

    // A list of n numbers, or one number for all.
    Result<std::vector<double>> list(const std::string& name, int64_t n) const {
        if (const auto one = number(name)) return std::vector<double>(static_cast<size_t>(n), *one);
        const format::MetaValue* v = find(name);
        if (v) {
            if (const auto* i = std::get_if<std::vector<int64_t>>(v)) return std::vector<double>(i->begin(), i->end());
            if (const auto* d = std::get_if<std::vector<double>>(v)) return *d;
        }
        return fail(Code::bad_file, "%s: metadata key '%s%s' %s: expected a number or a list of numbers", c_.path().c_str(), prefix_.c_str(), name.c_str(),
                    v ? "is neither" : "is missing");
    }

private:
    const format::Checkpoint& c_;
    std::string prefix_;
};

}  // namespace gemma3n::model
