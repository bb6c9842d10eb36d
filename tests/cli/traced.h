// The file that trace writes, read back.
#pragma once

#include "cli/command.h"

#include <simdjson.h>

#include <cstring>
#include <map>

namespace gemma3n::test {

struct Stored {
    std::string type;
    std::vector<int64_t> shape;
    std::vector<float> values;
    std::vector<int32_t> ids;
};
using File = std::map<std::string, Stored>;

inline File read_back(const std::string& path) {
    const std::string bytes = read_file(path);
    if (bytes.size() < 8) throw std::runtime_error(path + " is no safetensors file");
    uint64_t n_header = 0;
    memcpy(&n_header, bytes.data(), 8);
    simdjson::dom::parser parser;
    File file;
    for (const auto t : simdjson::dom::object(parser.parse(bytes.data() + 8, n_header))) {
        Stored s{std::string(std::string_view(t.value["dtype"])), {}, {}, {}};
        for (const int64_t d : simdjson::dom::array(t.value["shape"])) s.shape.push_back(d);
        const uint64_t begin = t.value["data_offsets"].at(0), end = t.value["data_offsets"].at(1);
        const char* data = bytes.data() + 8 + n_header + begin;
        s.values.resize(s.type == "F32" ? (end - begin) / 4 : 0);
        s.ids.resize(s.type == "I32" ? (end - begin) / 4 : 0);
        memcpy(s.type == "F32" ? static_cast<void*>(s.values.data()) : s.ids.data(), data, end - begin);
        file[std::string(t.key)] = s;
    }
    return file;
}

}  // namespace gemma3n::test
