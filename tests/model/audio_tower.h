// Audio towers of any size for tests: the list of their tensors, a checkpoint with the fact sheet's formula weights, a way to run one.
#pragma once

#include "format/safetensors_writer.h"
#include "kernels/table.h"
#include "model/audio/tower.h"
#include "model/checkpoint_dir.h"
#include "model/tower_formula.h"
#include "parallel/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gemma3n::test {

struct AudioSizes {
    int64_t width = 1536, n_layers = 12, n_heads = 8, inner = 6144, channels_0 = 128, channels_1 = 32, bins = 128, kernel = 5;
};

struct NamedShape {
    std::string name;
    std::vector<int64_t> shape;
    int64_t size() const {
        int64_t n = 1;
        for (const int64_t d : shape) n *= d;
        return n;
    }
};

inline std::vector<NamedShape> audio_tensors(const AudioSizes& s) {
    const int64_t w = s.width;
    const std::string sub = "audio_tower.subsample_conv_projection.";
    std::vector<NamedShape> t = {{sub + "conv_0.conv.weight", {s.channels_0, 1, 3, 3}},
                                 {sub + "conv_0.norm.weight", {s.channels_0}},
                                 {sub + "conv_1.conv.weight", {s.channels_1, s.channels_0, 3, 3}},
                                 {sub + "conv_1.norm.weight", {s.channels_1}},
                                 {sub + "input_proj_linear.weight", {w, s.channels_1 * ((s.bins + 3) / 4)}}};
    for (int64_t i = 0; i < s.n_layers; i++) {
        const std::string layer = "audio_tower.conformer." + std::to_string(i) + ".";
        for (const std::string part : {"ffw_layer_start.", "ffw_layer_end."}) {
            t.push_back({layer + part + "pre_layer_norm.weight", {w}});
            t.push_back({layer + part + "ffw_layer_1.weight", {s.inner, w}});
            t.push_back({layer + part + "ffw_layer_2.weight", {w, s.inner}});
            t.push_back({layer + part + "post_layer_norm.weight", {w}});
        }
        t.push_back({layer + "attention.pre_attn_norm.weight", {w}});
        for (const std::string part : {"q_proj", "k_proj", "v_proj", "relative_position_embedding.pos_proj"}) t.push_back({layer + "attention.attn." + part + ".weight", {w, w}});
        t.push_back({layer + "attention.attn.per_dim_scale", {w / s.n_heads}});
        t.push_back({layer + "attention.post.weight", {w, w}});
        t.push_back({layer + "attention.post_norm.weight", {w}});
        t.push_back({layer + "lconv1d.pre_layer_norm.weight", {w}});
        t.push_back({layer + "lconv1d.linear_start.weight", {2 * w, w}});
        t.push_back({layer + "lconv1d.depthwise_conv1d.weight", {w, 1, s.kernel}});
        t.push_back({layer + "lconv1d.conv_norm.weight", {w}});
        t.push_back({layer + "lconv1d.linear_end.weight", {w, w}});
        t.push_back({layer + "norm.weight", {w}});
    }
    return t;
}

// Writes f32 formula weights, in parallel and piece by piece: the whole tower is 2.7 GB. factor(name) multiplies a tensor.
inline void write_formula(const CheckpointDir& dir, const std::vector<NamedShape>& tensors, const std::function<float(const std::string&)>& factor = {}) {
    std::ofstream(dir.path() + "/config.json") << "{}";
    format::SafetensorsWriter w;
    for (const NamedShape& t : tensors) w.declare(t.name, DType::f32, t.shape);
    ASSERT_TRUE(w.open(dir.path() + "/model.safetensors"));
    Pool pool(static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 8u)));
    std::vector<float> piece;
    for (const NamedShape& t : tensors) {
        const float f = factor ? factor(t.name) : 1;
        for (int64_t first = 0; first < t.size(); first += 1 << 22) {
            const int64_t n = std::min<int64_t>(t.size() - first, 1 << 22);
            piece.resize(static_cast<size_t>(n));
            pool.split(n, 4096, [&](int64_t b, int64_t e, int) {
                tower_values(t.name, t.shape, first + b, e - b, piece.data() + b);
                for (int64_t i = b; i < e; i++) piece[i] *= f;
            });
            ASSERT_TRUE(w.write(piece.data(), piece.size() * sizeof(float)));
        }
    }
    ASSERT_TRUE(w.close());
}

// The fact sheet's sound.
inline std::vector<float> audio_signal(int64_t n) {
    const uint32_t h = tower_hash("audio");
    const double pi = 3.14159265358979323846;
    std::vector<float> s(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; i++) {
        const double t = static_cast<double>(i);
        s[i] = static_cast<float>(0.3 * std::sin(2 * pi * 440 * t / 16000) + 0.2 * std::sin(2 * pi * 1234.5 * t / 16000 + 0.5) + 0.05 * static_cast<double>(tower_unit(h, static_cast<uint32_t>(i))));
    }
    return s;
}

// Keeps every tensor, the groups' rows behind one another.
class KeepAll : public model::Tap {
public:
    bool wants(const std::string&) override { return true; }
    void tensor(const std::string& name, std::vector<int64_t> shape, const View& values) override {
        std::vector<float>& v = tensors[name];
        for (int64_t r = 0; r < values.n_rows; r++) v.insert(v.end(), values.f32(r), values.f32(r) + values.n_cols);
        int64_t row = 1;
        for (size_t d = 1; d < shape.size(); d++) row *= shape[d];
        row_values[name] = row;
    }
    const std::vector<float>& of(const std::string& name) const {
        const auto it = tensors.find(name);
        EXPECT_NE(it, tensors.end()) << name;
        static const std::vector<float> none;
        return it == tensors.end() ? none : it->second;
    }
    int64_t n_rows(const std::string& name) const { return static_cast<int64_t>(of(name).size()) / row_values.at(name); }
    std::map<std::string, std::vector<float>> tensors;
    std::map<std::string, int64_t> row_values;
};

// A bound tower with kernels and threads of its own.
class AudioRun {
public:
    AudioRun(const std::string& dir, const model::AudioConfig& config, const kernels::Table& table, int threads = 2, bool exact = true)
        : pool_(threads), c{table, pool_, arena_, exact} {
        auto opened = format::Checkpoint::open(dir);
        EXPECT_TRUE(opened) << opened.error().message;
        checkpoint = *opened;
        auto bound = model::AudioTower::bind(*checkpoint, config);
        EXPECT_TRUE(bound) << bound.error().message;
        tower = std::move(*bound);
    }

    // The whole clip at once, or in pieces of the lengths given, again and again.
    std::vector<float> rows(std::span<const float> samples, std::span<const int64_t> pieces = {}, model::Tap* tap = nullptr) {
        auto stream = tower->stream();
        std::vector<float> out;
        for (size_t at = 0, i = 0; at < samples.size(); i++) {
            const size_t n = pieces.empty() ? samples.size() : std::min<size_t>(static_cast<size_t>(pieces[i % pieces.size()]), samples.size() - at);
            const Status s = stream->push(c, samples.subspan(at, n), out, tap);
            EXPECT_TRUE(s) << s.error().message;
            at += n;
        }
        EXPECT_TRUE(stream->finish(c, out, tap));
        return out;
    }

private:
    Pool pool_;
    Arena arena_;

public:
    Context c;
    std::shared_ptr<format::Checkpoint> checkpoint;
    std::unique_ptr<model::AudioTower> tower;
};

// Every kernel table as a test parameter; one that the CPU lacks is skipped by its name.
class OnEveryTable : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        table = kernels::choose(GetParam().c_str());
        if (!table) GTEST_SKIP() << "kernels '" << GetParam() << "' cannot run on this CPU";
    }
    const kernels::Table* table = nullptr;
};
inline std::vector<std::string> every_table() {
    std::vector<std::string> names;
    for (const kernels::Entry& e : kernels::all()) names.push_back(e.table->name);
    return names;
}
inline std::string table_name(const testing::TestParamInfo<std::string>& p) {
    std::string name = p.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

}  // namespace gemma3n::test
