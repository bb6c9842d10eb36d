#include "format/safetensors_writer.h"

#include <cassert>

namespace gemma3n::format {

void SafetensorsWriter::declare(const std::string& name, DType type, std::vector<int64_t> shape) {
    const char* names[] = {"F32", "F16", "BF16"};
    assert(type == DType::i32 || static_cast<int>(type) <= 2);
    uint64_t n = static_cast<uint64_t>(info(type).bytes);
    std::string dims;
    for (const int64_t d : shape) {
        n *= static_cast<uint64_t>(d);
        dims += (dims.empty() ? "" : ",") + std::to_string(d);
    }
    items_.push_back({"\"" + name + "\":{\"dtype\":\"" + (type == DType::i32 ? "I32" : names[static_cast<int>(type)]) + "\",\"shape\":[" + dims +
                          "],\"data_offsets\":[" + std::to_string(data_bytes_) + "," + std::to_string(data_bytes_ + n) + "]}",
                      data_bytes_});
    data_bytes_ += n;
}

Status SafetensorsWriter::open(const std::string& path) {
    TRY(file_.open(path));
    std::string header = "{";
    for (const Item& i : items_) header += (header.size() > 1 ? "," : "") + i.json;
    header += "}";
    while (header.size() % 8) header += ' ';
    const uint64_t n = header.size();
    TRY(file_.write(&n, 8));
    TRY(file_.write(header.data(), n));
    header_bytes_ = 8 + n;
    return {};
}

Status SafetensorsWriter::close() { return file_.close(); }

}  // namespace gemma3n::format
