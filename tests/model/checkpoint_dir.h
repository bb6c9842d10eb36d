// A Hugging Face directory for a test, gone when the test is: config.json and one or several safetensors files.
#pragma once

#include "base/f16.h"
#include "format/safetensors_writer.h"
#include "tensor/dtype.h"

#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace gemma3n::test {

struct PlainTensor {
    std::string name;  // as stored, prefix included
    std::vector<int64_t> shape;
    std::vector<float> values;
};

class CheckpointDir {
public:
    CheckpointDir() {
        std::string pattern = (std::filesystem::temp_directory_path() / "gemma3n-test-XXXXXX").string();
        if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
        path_ = pattern;
    }
    ~CheckpointDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    CheckpointDir(const CheckpointDir&) = delete;

    const std::string& path() const { return path_; }

    // Values are rounded to `type` (f32, f16 or bf16). More than one shard brings an index file, as large checkpoints have it.
    void write(const std::string& config_json, const std::vector<PlainTensor>& tensors, DType type = DType::f32, int n_shards = 1) const {
        std::ofstream(path_ + "/config.json") << config_json;
        std::map<std::string, std::string> shard_of;
        for (int s = 0; s < n_shards; s++) {
            char name[64] = "model.safetensors";
            if (n_shards > 1) snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", s + 1, n_shards);
            std::vector<const PlainTensor*> mine;
            for (size_t i = 0; i < tensors.size(); i++)
                if (static_cast<int>(i) % n_shards == s) mine.push_back(&tensors[i]);
            write_file(path_ + "/" + name, mine, type);
            for (const PlainTensor* t : mine) shard_of[t->name] = name;
        }
        if (n_shards == 1) return;
        std::ofstream index(path_ + "/model.safetensors.index.json");
        index << "{\"metadata\":{},\"weight_map\":{";
        const char* comma = "";
        for (const auto& [tensor, file] : shard_of) {
            index << comma << "\"" << tensor << "\":\"" << file << "\"";
            comma = ",";
        }
        index << "}}";
    }

private:
    static void check(const Status& s) {
        if (!s) throw std::runtime_error(s.error().message);
    }
    static void write_file(const std::string& path, const std::vector<const PlainTensor*>& tensors, DType type) {
        format::SafetensorsWriter w;
        for (const PlainTensor* t : tensors) w.declare(t->name, type, t->shape);
        check(w.open(path));
        for (const PlainTensor* t : tensors) {
            if (type == DType::f32) {
                check(w.write(t->values.data(), t->values.size() * sizeof(float)));
                continue;
            }
            std::vector<uint16_t> half(t->values.size());
            for (size_t i = 0; i < half.size(); i++) half[i] = type == DType::f16 ? f32_to_f16(t->values[i]) : f32_to_bf16(t->values[i]);
            check(w.write(half.data(), half.size() * sizeof(uint16_t)));
        }
        check(w.close());
    }
    std::string path_;
};

}  // namespace gemma3n::test
