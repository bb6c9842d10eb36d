// What the sides of vision.py and audio.py that are ours share.
#pragma once

#include "kernels/roof.h"
#include "measure/roof.h"
#include "model/text/decoder.h"  // Tap
#include "ops/context.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace gemma3n::bench {

[[noreturn]] inline void stop(const std::string& why) {
    fprintf(stderr, "%s\n", why.c_str());
    exit(1);
}

inline double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Seconds between the tensors of a run, by their names.
class Parts : public model::Tap {
public:
    bool wants(const std::string& name) override {
        const double t = now();
        seconds_.emplace_back(name, t - last_);
        last_ = t;
        return false;
    }
    void tensor(const std::string&, std::vector<int64_t>, const View&) override {}
    void print() const {
        for (const auto& [name, seconds] : seconds_) printf("%8.2f ms %s\n", seconds * 1e3, name.c_str());
    }

private:
    double last_ = now();
    std::vector<std::pair<std::string, double>> seconds_;
};

struct Machine {
    const kernels::Table* k = kernels::choose(getenv("GEMMA3N_KERNELS"));
    Pool pool;
    Arena scratch;
    Context context;

    Machine(int threads, bool exact) : pool(threads), context{k ? *k : kernels::reference(), pool, scratch, exact} {
        if (!k) stop("the kernels of GEMMA3N_KERNELS cannot run here");
    }
    void print_roof(double multiplications) {
        auto roof = measure::measure_roof(k->name, pool.n_threads());
        if (!roof) stop(roof.error().message);
        printf("{\"kernels\":\"%s\",\"int8_gmac\":%.1f,\"f32_gmac\":%.1f,\"gmac\":%.3f}\n", k->name, roof->at.back().int8_gops / 2, roof->at.back().f32_gflops / 2, multiplications * 1e-9);
    }
};

inline void save(const std::string& path, const std::vector<float>& rows) {
    std::ofstream(path).write(reinterpret_cast<const char*>(rows.data()), static_cast<std::streamsize>(rows.size() * sizeof(float)));
    printf("saved\n");
}

}  // namespace gemma3n::bench
