// A committed case of tests/model/data/audio (tools/oracle/make_audio_goldens.py): a small encoder and what transformers said of it.
#pragma once

#include "model/audio_tower.h"

#include <simdjson.h>

#include <cstring>
#include <sstream>

namespace gemma3n::test {

inline std::vector<float> audio_data(const std::string& name) {
    std::ifstream in(std::string(G3N_SOURCE_DIR) + "/tests/model/data/audio/" + name, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    const std::string bytes = all.str();
    EXPECT_FALSE(bytes.empty()) << name;
    std::vector<float> v(bytes.size() / sizeof(float));
    memcpy(v.data(), bytes.data(), v.size() * sizeof(float));
    return v;
}

struct AudioCase {
    AudioSizes sizes;
    model::AudioConfig config;
    float q_factor = 1;                     // queries large enough that the cap, the window and the relative term show
    std::vector<int64_t> lengths, n_rows;   // samples of each clip, rows it gives
    std::vector<float> rows;                // of all clips, [n, width]

    explicit AudioCase(const std::string& name) {
        simdjson::dom::parser parser;
        const simdjson::dom::element j = parser.load(std::string(G3N_SOURCE_DIR) + "/tests/model/data/audio/" + name + ".json");
        sizes = {.width = j["width"], .n_layers = j["layers"], .n_heads = j["heads"], .inner = 4 * int64_t(j["width"]), .channels_0 = j["channels"].at(0), .channels_1 = j["channels"].at(1),
                 .bins = 128, .kernel = j["kernel"]};
        config.n_heads = sizes.n_heads;
        config.chunk = j["chunk"];
        config.context_left = j["context_left"];
        config.reduction = j["reduction"];
        config.logit_cap = static_cast<float>(double(j["logit_cap"]));
        config.residual_weight = static_cast<float>(double(j["residual_weight"]));
        config.group_norm_eps = static_cast<float>(double(j["group_norm_eps"]));
        q_factor = static_cast<float>(double(j["q_factor"]));
        for (const int64_t n : simdjson::dom::array(j["lengths"])) lengths.push_back(n);
        for (const int64_t n : simdjson::dom::array(j["rows"])) n_rows.push_back(n);
        rows = audio_data(name + ".f32");
    }

    float factor(const std::string& tensor) const { return tensor.ends_with("q_proj.weight") ? q_factor : 1.0f; }
    void write(const CheckpointDir& dir) const {
        write_formula(dir, audio_tensors(sizes), [this](const std::string& n) { return factor(n); });
    }
};

// Root mean square of the difference in parts of that of `expected`.
inline double relative_rms(std::span<const float> got, std::span<const float> expected) {
    EXPECT_EQ(got.size(), expected.size());
    double difference = 0, size = 0;
    for (size_t i = 0; i < std::min(got.size(), expected.size()); i++) {
        difference += (got[i] - expected[i]) * static_cast<double>(got[i] - expected[i]);
        size += expected[i] * static_cast<double>(expected[i]);
    }
    return std::sqrt(difference / size);
}

}  // namespace gemma3n::test
