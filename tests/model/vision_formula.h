// The vision goldens' other half (tools/oracle/vision_goldens.py): their pictures, checkpoints of their formula weights, and the reader of
// their files.
#pragma once

#include "base/output_file.h"
#include "format/checkpoint.h"
#include "format/safetensors_writer.h"
#include "parallel/pool.h"
#include "tower_formula.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::test {

struct VisionTensor {
    std::string name;  // without "vision_tower.timm_model." or with another tensor's whole name
    std::vector<int64_t> shape;

    int64_t size() const {
        int64_t n = 1;
        for (const int64_t d : shape) n *= d;
        return n;
    }
};

inline std::vector<float> vision_picture(int64_t side) {
    const uint32_t hash = tower_hash("pixel_values");
    std::vector<float> pixels(static_cast<size_t>(3 * side * side));
    for (size_t i = 0; i < pixels.size(); i++) pixels[i] = static_cast<float>(tower_bits(hash, static_cast<uint32_t>(i)) >> 24) * static_cast<float>(1 / 255.0);
    return pixels;
}

struct GoldenMap {
    std::string name;
    int64_t channels, height, width;
    double mean, rms, least, greatest;
    std::vector<float> values;  // at j * 2654435761 mod size of [channels, height, width]
};
struct GoldenPicture {
    int64_t side;
    std::vector<GoldenMap> maps;
};
struct VisionGolden {
    int64_t n_tokens = 0;
    std::vector<VisionTensor> tensors;
    std::vector<GoldenPicture> pictures;

    static VisionGolden read(const std::string& path) {
        VisionGolden g;
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) {
            std::istringstream in(line);
            std::string kind;
            in >> kind;
            if (kind == "tokens") in >> g.n_tokens;
            if (kind == "tensor") {
                VisionTensor& t = g.tensors.emplace_back();
                in >> t.name;
                for (int64_t d; in >> d;) t.shape.push_back(d);
            }
            if (kind == "picture") in >> g.pictures.emplace_back().side;
            if (kind == "map") {
                GoldenMap& m = g.pictures.back().maps.emplace_back();
                in >> m.name >> m.channels >> m.height >> m.width >> m.mean >> m.rms >> m.least >> m.greatest;
                for (float v; in >> v;) m.values.push_back(v);
            }
        }
        if (g.pictures.empty()) throw std::runtime_error(path + " holds no golden");
        return g;
    }
    VisionTensor& at(const std::string& name) {
        for (VisionTensor& t : tensors)
            if (t.name == name) return t;
        throw std::runtime_error("no tensor " + name);
    }
};

// The published tower's file, written in parallel: 1.2 GB in a second or two. `extra` tensors have full names.
inline void write_vision_checkpoint(const std::string& directory, const std::vector<VisionTensor>& tensors, const std::vector<VisionTensor>& extra = {}) {
    std::ofstream(directory + "/config.json") << "{\"model_type\":\"gemma3n\"}";
    struct Job {
        const VisionTensor* tensor;
        std::string name;
        size_t index;
        int64_t begin, end;
    };
    const auto check = [](const Status& s) {
        if (!s) throw std::runtime_error(s.error().message);
    };
    constexpr int64_t piece = 1 << 20;
    format::SafetensorsWriter w;
    std::vector<Job> jobs;
    size_t index = 0;
    const auto declare = [&](const VisionTensor& t, const std::string& name) {
        w.declare("model." + name, DType::f32, t.shape);
        for (int64_t i = 0; i < t.size(); i += piece) jobs.push_back({&t, name, index, i, std::min(i + piece, t.size())});
        index++;
    };
    for (const VisionTensor& t : tensors) declare(t, "vision_tower.timm_model." + t.name);
    for (const VisionTensor& t : extra) declare(t, t.name);
    check(w.open(directory + "/model.safetensors"));
    check(w.file().reserve(w.offset(0) + w.data_bytes()));
    Pool pool(2);
    std::vector<std::string> failures(2);
    pool.split(static_cast<int64_t>(jobs.size()), 1, [&](int64_t begin, int64_t end, int worker) {
        std::vector<float> v(piece);
        for (int64_t j = begin; j < end; j++) {
            const Job& job = jobs[static_cast<size_t>(j)];
            tower_values(job.name, job.tensor->shape, job.begin, job.end - job.begin, v.data());
            const Status s = w.file().write_at(w.offset(job.index) + static_cast<uint64_t>(job.begin) * 4, v.data(), static_cast<uint64_t>(job.end - job.begin) * 4);
            if (!s) failures[static_cast<size_t>(worker)] = s.error().message;
        }
    });
    for (const std::string& f : failures)
        if (!f.empty()) throw std::runtime_error(f);
    check(w.close());
}

}  // namespace gemma3n::test
