// Our side of vision.py: a tower of a file, run once for each line "run" of standard input; seconds on standard output. "save PATH" writes the
// last rows as f32, "roof" what the machine does at best, "maps" the parts of a second that each part of the tower takes.
#include "kernels/roof.h"
#include "measure/roof.h"
#include "model/vision/tower.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

using namespace gemma3n;

namespace {

[[noreturn]] void stop(const std::string& why) {
    fprintf(stderr, "vision_ours: %s\n", why.c_str());
    exit(1);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Seconds between the maps of a run, by the first two parts of their names.
class Parts : public model::Tap {
public:
    bool wants(const std::string& name) override {
        const double t = now();
        seconds.emplace_back(name, t - last);
        last = t;
        return false;
    }
    void tensor(const std::string&, std::vector<int64_t>, const View&) override {}
    double last = now();
    std::vector<std::pair<std::string, double>> seconds;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) stop("usage: vision_ours TOWER SIDE THREADS exact|fast");
    const int64_t side = atoll(argv[2]);
    const bool exact = std::string(argv[4]) == "exact";
    auto checkpoint = format::Checkpoint::open(argv[1]);
    if (!checkpoint) stop(checkpoint.error().message);
    auto bound = model::VisionTower::bind(**checkpoint, {});
    if (!bound) stop(bound.error().message);
    const model::VisionTower& tower = **bound;

    std::vector<float> pixels(static_cast<size_t>(3 * side * side));
    for (size_t i = 0; i < pixels.size(); i++) pixels[i] = static_cast<float>(i * 2654435761u % 256) / 255.0f;
    const char* forced = getenv("GEMMA3N_KERNELS");
    const kernels::Table* k = kernels::choose(forced);
    if (!k) stop("the kernels of GEMMA3N_KERNELS cannot run here");
    Pool pool(atoi(argv[3]));
    Arena scratch;
    Context c{*k, pool, scratch, exact};
    std::vector<float> rows(static_cast<size_t>(tower.n_tokens() * tower.width()));
    Buffer buffer{reinterpret_cast<std::byte*>(rows.data()), rows.size() * sizeof(float)};
    const View out{&buffer, 0, DType::f32, tower.n_tokens(), tower.width(), static_cast<uint64_t>(tower.width()) * sizeof(float)};

    for (std::string line; std::getline(std::cin, line);) {
        if (line == "roof") {
            auto roof = measure::measure_roof(k->name, pool.n_threads());
            if (!roof) stop(roof.error().message);
            printf("{\"kernels\":\"%s\",\"int8_gmac\":%.1f,\"f32_gmac\":%.1f,\"gmac\":%.3f}\n", k->name, roof->at.back().int8_gops / 2, roof->at.back().f32_gflops / 2,
                   tower.multiplications(side) * 1e-9);
        } else if (line == "run" || line == "maps") {
            Parts parts;
            const double begin = now();
            if (const Status s = tower.encode(c, pixels, side, out, line == "maps" ? &parts : nullptr); !s) stop(s.error().message);
            if (line == "maps")
                for (const auto& [name, seconds] : parts.seconds) printf("%8.2f ms %s\n", seconds * 1e3, name.c_str());
            printf("%.6f %.0f\n", now() - begin, static_cast<double>(scratch.capacity_bytes()));
        } else if (line.starts_with("save ")) {
            std::ofstream(line.substr(5)).write(reinterpret_cast<const char*>(rows.data()), static_cast<std::streamsize>(rows.size() * sizeof(float)));
            printf("saved\n");
        } else {
            stop("'" + line + "' is no order");
        }
        fflush(stdout);
    }
}
