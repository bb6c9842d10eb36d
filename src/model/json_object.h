// Typed fields of a JSON object in a config file. null counts as absent; a wrong type is a sentence that names file and field.
#pragma once

#include "base/result.h"

#include <simdjson.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace gemma3n::model {

class Object {
public:
    Object(simdjson::dom::element e, std::string path) : e_(e), path_(std::move(path)) {}

    const std::string& path() const { return path_; }

    std::optional<simdjson::dom::element> find(const char* name) const {
        simdjson::dom::element v;
        if (e_[name].get(v) || v.is_null()) return std::nullopt;
        return v;
    }
    Result<int64_t> count_or(const char* name, int64_t otherwise) const {
        const auto v = find(name);
        if (!v) return otherwise;
        int64_t i;
        if (!v->get(i)) return i;
        double d;
        if (!v->get(d) && std::isfinite(d) && d == std::floor(d) && std::fabs(d) < 9e15) return static_cast<int64_t>(d);
        return fail(Code::bad_file, "%s: '%s' is not a whole number", path_.c_str(), name);
    }
    Result<int64_t> count(const char* name) const {
        if (!find(name)) return fail(Code::bad_file, "%s: '%s' is missing", path_.c_str(), name);
        return count_or(name, 0);
    }
    Result<float> real_or(const char* name, double otherwise) const {
        const auto v = find(name);
        if (!v) return static_cast<float>(otherwise);
        double d;
        if (v->get(d)) return fail(Code::bad_file, "%s: '%s' is not a number", path_.c_str(), name);
        return static_cast<float>(d);
    }
    std::string string_or(const char* name, const char* otherwise) const {
        const auto v = find(name);
        std::string_view s;
        return v && !v->get(s) ? std::string(s) : otherwise;
    }
    // Numbers of a list, or n times a scalar; empty when absent.
    Result<std::vector<double>> list(const char* name, int64_t n) const {
        const auto v = find(name);
        std::vector<double> out;
        if (!v) return out;
        double d;
        if (!v->get(d)) return std::vector<double>(static_cast<size_t>(n), d);
        simdjson::dom::array a;
        if (v->get(a)) return fail(Code::bad_file, "%s: '%s' is neither a number nor a list", path_.c_str(), name);
        for (const auto item : a) {
            if (item.get(d)) return fail(Code::bad_file, "%s: '%s' holds something that is not a number", path_.c_str(), name);
            out.push_back(d);
        }
        return out;
    }
    std::optional<Object> object(const char* name) const {
        const auto v = find(name);
        if (!v || !v->is_object()) return std::nullopt;
        return Object(*v, path_ + ": " + name);
    }

private:
    simdjson::dom::element e_;
    std::string path_;
};

// The object that `json` is; valid as long as `parser`. A shallow limit of depth: configs are two or three levels deep.
inline Result<Object> parse_object(simdjson::dom::parser& parser, const std::string& json, const std::string& path) {
    simdjson::dom::element root;
    if (const auto e = parser.allocate(json.size(), 32)) return fail(Code::bad_file, "%s: %s", path.c_str(), simdjson::error_message(e));
    if (const auto e = parser.parse(json).get(root)) return fail(Code::bad_file, "%s: is not valid JSON: %s", path.c_str(), simdjson::error_message(e));
    if (!root.is_object()) return fail(Code::bad_file, "%s: is not a JSON object", path.c_str());
    return Object(root, path);
}

}  // namespace gemma3n::model
