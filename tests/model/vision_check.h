// A tower run on a golden's pictures, every map that the reference gave compared.
#pragma once

#include "checkpoint_dir.h"
#include "model/vision/tower.h"
#include "vision_formula.h"

#include <gtest/gtest.h>

#include <map>

namespace gemma3n::test {

struct SeenMap {
    std::vector<int64_t> shape;  // height, width, channels
    std::vector<float> values;
};
class SeenMaps : public model::Tap {
public:
    explicit SeenMaps(const GoldenPicture& golden) {
        for (const GoldenMap& m : golden.maps) wanted_.insert("vision." + m.name);
    }
    bool wants(const std::string& name) override { return wanted_.contains(name); }
    void tensor(const std::string& name, std::vector<int64_t> shape, const View& v) override {
        SeenMap& m = maps[name];
        m.shape = std::move(shape);
        m.values.assign(v.f32(), v.f32() + v.n_rows * v.n_cols);
    }
    std::map<std::string, SeenMap> maps;

private:
    std::set<std::string> wanted_;
};

// Distances in parts of the map's rms: of the 64 values together, and of the numbers over all values.
inline void expect_golden(const GoldenPicture& golden, const SeenMaps& seen, double tolerance) {
    for (const GoldenMap& g : golden.maps) {
        const std::string what = g.name + " of a picture of " + std::to_string(golden.side);
        const auto it = seen.maps.find("vision." + g.name);
        ASSERT_NE(it, seen.maps.end()) << what << " was not shown";
        ASSERT_EQ(it->second.shape, (std::vector<int64_t>{g.height, g.width, g.channels})) << what;
        const std::vector<float>& v = it->second.values;
        const auto n = static_cast<uint64_t>(v.size());
        double squares = 0, sum = 0, of_differences = 0, least = v[0], greatest = v[0];
        for (const float x : v) {
            squares += static_cast<double>(x) * x;
            sum += x;
            least = std::min<double>(least, x);
            greatest = std::max<double>(greatest, x);
        }
        for (uint64_t j = 0; j < g.values.size(); j++) {
            const uint64_t at = j * 2654435761u % n, pixels = static_cast<uint64_t>(g.height * g.width);
            const double d = v[at % pixels * static_cast<uint64_t>(g.channels) + at / pixels] - g.values[j];
            of_differences += d * d;
        }
        EXPECT_LE(std::sqrt(of_differences / static_cast<double>(g.values.size())), tolerance * g.rms) << what;
        EXPECT_NEAR(sum / static_cast<double>(n), g.mean, tolerance * g.rms) << what;
        EXPECT_NEAR(std::sqrt(squares / static_cast<double>(n)), g.rms, tolerance * g.rms) << what;
        EXPECT_NEAR(least, g.least, 5 * tolerance * g.rms) << what;
        EXPECT_NEAR(greatest, g.greatest, 5 * tolerance * g.rms) << what;
    }
}

// What a tower needs to run.
struct VisionRun {
    Pool pool;
    Arena scratch;
    Context c;

    explicit VisionRun(const kernels::Table& k, bool exact = true, int threads = 2) : pool(threads), c{k, pool, scratch, exact} {}

    std::vector<float> encode(const model::VisionTower& tower, int64_t side, model::Tap* tap = nullptr) {
        std::vector<float> out(static_cast<size_t>(tower.n_tokens() * tower.width()));
        Buffer buffer{reinterpret_cast<std::byte*>(out.data()), out.size() * sizeof(float)};
        const View rows{&buffer, 0, DType::f32, tower.n_tokens(), tower.width(), static_cast<uint64_t>(tower.width()) * sizeof(float)};
        const Status s = tower.encode(c, vision_picture(side), side, rows, tap);
        if (!s) ADD_FAILURE() << s.error().message;
        return out;
    }
};

}  // namespace gemma3n::test
