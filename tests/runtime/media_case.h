// The committed conversations with pictures and sound of tests/runtime/data/media, and the media in them: tools/oracle/media_cases.py is
// the other half.
#pragma once

#include "gemma3n/media.h"
#include "model/formula.h"

#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace gemma3n::test {

// Of the scaled model's own side, so that no resizing takes part.
inline Image formula_image(const std::string& name, int64_t side = 256) {
    Image image{side, side, std::vector<uint8_t>(static_cast<size_t>(3 * side * side))};
    for (size_t i = 0; i < image.rgb.size(); i++) image.rgb[i] = static_cast<uint8_t>(std::floor(128 * (formula_unit(formula_seed(name), i) + 1)));
    return image;
}

inline std::vector<float> formula_sound(const std::string& name, size_t n) {
    std::vector<float> s(n);
    for (size_t i = 0; i < n; i++) {
        const double t = static_cast<double>(i) / 16000;
        s[i] = static_cast<float>(0.3 * std::sin(2 * M_PI * 440 * t) + 0.2 * std::sin(2 * M_PI * 1234.5 * t + 0.5) + 0.05 * formula_unit(formula_seed(name), i));
    }
    return s;
}

struct MediaCase {
    std::string name;
    std::vector<std::string> parts;
    std::vector<int> ids, positions, greedy;
    std::vector<float> logits;  // [positions, vocab]
};

struct MediaGoldens {
    static constexpr int64_t hidden = 256, vocab = 480;

    uint64_t seed = 0;
    std::vector<int> soft_rows;
    std::map<std::string, std::vector<float>> soft;  // [soft_rows, hidden]
    std::vector<MediaCase> cases;

    static const std::vector<std::string>& media() {
        static const std::vector<std::string> names = {"image.0", "image.1", "audio.0", "audio.1"};
        return names;
    }
    static std::vector<float> samples(const std::string& name) { return formula_sound(name, name == "audio.0" ? 30000 : 12345); }

    static MediaGoldens read() {
        const auto root = std::filesystem::path(G3N_SOURCE_DIR) / "tests/runtime/data/media";
        std::ifstream in(root / "goldens.f32", std::ios::binary);
        if (!in) throw std::runtime_error("no goldens of media");
        const auto take = [&](size_t n) {
            std::vector<float> v(n);
            in.read(reinterpret_cast<char*>(v.data()), static_cast<std::streamsize>(n * sizeof(float)));
            if (!in) throw std::runtime_error("the goldens of media are too short");
            return v;
        };
        MediaGoldens g;
        simdjson::dom::parser parser;
        const simdjson::dom::element j = parser.load((root / "goldens.json").string());
        const auto ints = [](simdjson::dom::array a) {
            std::vector<int> v;
            for (const int64_t i : a) v.push_back(static_cast<int>(i));
            return v;
        };
        g.seed = uint64_t(j["seed"]);
        g.soft_rows = ints(j["soft_rows"]);
        for (const std::string& m : media()) g.soft[m] = take(g.soft_rows.size() * hidden);
        for (const simdjson::dom::element c : simdjson::dom::array(j["cases"])) {
            MediaCase m{std::string(std::string_view(c["name"])), {}, ints(c["ids"]), ints(c["positions"]), ints(c["greedy"]), {}};
            for (const std::string_view p : simdjson::dom::array(c["parts"])) m.parts.emplace_back(p);
            m.logits = take(m.positions.size() * vocab);
            g.cases.push_back(std::move(m));
        }
        return g;
    }
};

}  // namespace gemma3n::test
