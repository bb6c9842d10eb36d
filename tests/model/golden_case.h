// A committed case of tests/runtime/data/golden: how its checkpoint is made again from the formula, and what transformers said.
#pragma once

#include "model/checkpoint_dir.h"
#include "model/formula.h"

#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace gemma3n::test {

struct GoldenCase {
    std::string name, config_json, salt;
    DType dtype = DType::f32;
    int shards = 1;
    std::vector<int> ids, greedy;
    std::vector<FormulaTensor> tensors;
    std::vector<float> logits;  // [ids, vocab]

    int64_t vocab() const { return static_cast<int64_t>(logits.size() / ids.size()); }

    void write(const CheckpointDir& dir) const {
        std::vector<PlainTensor> plain;
        for (const FormulaTensor& t : tensors) plain.push_back({t.name, t.shape, t.values(salt)});
        dir.write(config_json, plain, dtype, shards);
    }

    static std::filesystem::path root() { return std::filesystem::path(G3N_SOURCE_DIR) / "tests/runtime/data/golden"; }

    static std::vector<std::string> names() {
        std::vector<std::string> out;
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(root(), ignored))
            if (std::filesystem::exists(entry.path() / "case.json")) out.push_back(entry.path().filename().string());
        std::sort(out.begin(), out.end());
        return out;
    }

    static GoldenCase read(const std::string& name) {
        GoldenCase c;
        c.name = name;
        c.config_json = text(root() / name / "config.json");
        const std::string logits = text(root() / name / "logits.f32");
        c.logits.resize(logits.size() / sizeof(float));
        memcpy(c.logits.data(), logits.data(), c.logits.size() * sizeof(float));

        simdjson::dom::parser parser;
        const simdjson::dom::element j = parser.load((root() / name / "case.json").string());
        c.salt = std::string(std::string_view(j["salt"]));
        const std::string_view dtype = j["dtype"];
        c.dtype = dtype == "bfloat16" ? DType::bf16 : dtype == "float16" ? DType::f16 : DType::f32;
        c.shards = static_cast<int>(int64_t(j["shards"]));
        for (const int64_t id : simdjson::dom::array(j["ids"])) c.ids.push_back(static_cast<int>(id));
        for (const int64_t id : simdjson::dom::array(j["greedy"])) c.greedy.push_back(static_cast<int>(id));
        for (const simdjson::dom::array t : simdjson::dom::array(j["tensors"])) {
            FormulaTensor f{std::string(std::string_view(t.at(0))), {}, double(t.at(2)), double(t.at(3))};
            for (const int64_t d : simdjson::dom::array(t.at(1))) f.shape.push_back(d);
            c.tensors.push_back(f);
        }
        return c;
    }

private:
    static std::string text(const std::filesystem::path& path) {
        std::ifstream in(path, std::ios::binary);
        if (!in) throw std::runtime_error(path.string() + " cannot be read");
        std::ostringstream all;
        all << in.rdbuf();
        return all.str();
    }
};

}  // namespace gemma3n::test
