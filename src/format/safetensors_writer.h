// Writes one safetensors file: declare every tensor, open, write their data in the order declared, close.
#pragma once

#include "base/output_file.h"
#include "tensor/dtype.h"

#include <string>
#include <vector>

namespace gemma3n::format {

class SafetensorsWriter {
public:
    void declare(const std::string& name, DType type, std::vector<int64_t> shape);  // f32, f16, bf16, i32
    Status open(const std::string& path);
    Status write(const void* data, uint64_t n_bytes) { return file_.write(data, n_bytes); }
    // Place of a declared tensor's data in the file, for writers that fill in parallel with file().write_at.
    uint64_t offset(size_t index) const { return header_bytes_ + items_[index].begin; }
    uint64_t data_bytes() const { return data_bytes_; }
    OutputFile& file() { return file_; }
    Status close();

private:
    struct Item {
        std::string json;
        uint64_t begin;
    };
    std::vector<Item> items_;
    uint64_t data_bytes_ = 0, header_bytes_ = 0;
    OutputFile file_;
};

}  // namespace gemma3n::format
