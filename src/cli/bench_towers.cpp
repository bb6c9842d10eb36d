// bench --vision R, --audio: how fast pictures and sound become soft tokens, and what share of the machine that is.
#include "base/cpu.h"
#include "cli/bench.h"
#include "cli/progress.h"
#include "measure/towers.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace gemma3n::cli {

namespace {

struct Measured {
    std::vector<measure::TowerTimes> pictures;  // of each side asked for
    std::optional<measure::TowerTimes> clip;
    double clip_s = 0;
    measure::Roof roof;
    int threads = 0;

    double best(const measure::TowerTimes& t) const { return t.int8 ? roof.at.back().int8_gops : roof.at.back().f32_gflops; }
    double share(const measure::TowerTimes& t) const { return t.gops() / best(t); }
};

const char* kind(const measure::TowerTimes& t) { return t.int8 ? "int8" : "f32"; }

Json json_of(const Measured& m, const measure::TowerTimes& t) {
    Json j;
    j.raw("seconds", json_list(t.seconds)).add("multiplications", t.multiplications).add("arithmetic", kind(t)).add("gops", t.gops()).add("share_of_roof", m.share(t));
    return j;
}

void json(const Measured& m, const BenchOptions& o, const ModelInfo& info) {
    Json j;
    j.add("model", info.path).add("towers", info.projector.empty() ? info.path : info.projector).add("cpu", info.cpu).add("kernels", info.kernels).add("threads", m.threads);
    j.add("activations", o.model.activations).add("repeats", o.repeats);
    std::string pictures;
    for (size_t i = 0; i < m.pictures.size(); i++) {
        Json p = json_of(m, m.pictures[i]);
        p.add("side", o.vision[i]).add("frames_per_s", 1 / m.pictures[i].median());
        pictures += (pictures.empty() ? "" : ", ") + p.str();
    }
    j.raw("vision", "[" + pictures + "]");
    if (m.clip) {
        Json a = json_of(m, *m.clip);
        a.add("clip_seconds", m.clip_s).add("realtime_factor", m.clip->median() / m.clip_s);
        j.raw("audio", a.str());
    }
    j.raw("roof", roof_json(m.roof).str());
    printf("%s\n", j.str().c_str());
}

void row(const Measured& m, const std::string& what, const measure::TowerTimes& t, const std::string& speed) {
    printf("%-12s %8.3f s  (%.3f to %.3f in %zu runs)   %s, %.0f G%s of %s, %.0f %% of the roof\n", what.c_str(), t.median(), t.seconds.front(), t.seconds.back(), t.seconds.size(),
           speed.c_str(), t.gops(), t.int8 ? "OPS" : "FLOPS", kind(t), 100 * m.share(t));
}

std::string with_unit(const char* format, double x) {
    char s[64];
    snprintf(s, sizeof s, format, x);
    return s;
}

void table(const Measured& m, const BenchOptions& o, const ModelInfo& info) {
    printf("towers of %s\n%s kernels, %d thread%s, %s activations, on %s\n", (info.projector.empty() ? info.path : info.projector).c_str(), info.kernels.c_str(), m.threads, m.threads == 1 ? "" : "s",
           o.model.activations.c_str(), info.cpu.c_str());
    for (size_t i = 0; i < m.pictures.size(); i++) row(m, std::to_string(o.vision[i]) + " pixels", m.pictures[i], with_unit("%.2f frames/s", 1 / m.pictures[i].median()));
    if (m.clip) row(m, with_unit("%.0f s clip", m.clip_s), *m.clip, with_unit("%.3f of real time", m.clip->median() / m.clip_s));
    roof_table(m.roof);
}

}  // namespace

int bench_towers(const BenchOptions& o) {
    if (const Status s = check_roof(o); !s) return report(s.error());
    const int64_t largest = o.vision.empty() ? 0 : *std::max_element(o.vision.begin(), o.vision.end());
    auto engine = load(o.model, {.context_tokens = 1, .chunk_tokens = 1, .image_side = largest, .sound = o.audio});
    if (!engine) return report(engine.error());
    const ModelInfo info = (*engine)->info();
    Measured m;
    m.threads = o.model.threads > 0 ? o.model.threads : physical_cores();
    for (const int64_t side : o.vision) {
        Progress progress("measuring " + std::to_string(side) + " pixels");
        auto t = measure::bench_vision(**engine, side, o.repeats, [&](double done) { return progress.at(done); });
        if (!t) return report(t.error());
        m.pictures.push_back(std::move(*t));
    }
    if (o.audio) {
        m.clip_s = info.clip_seconds;
        Progress progress("measuring sound");
        auto t = measure::bench_audio(**engine, m.clip_s, o.repeats, [&](double done) { return progress.at(done); });
        if (!t) return report(t.error());
        m.clip = std::move(*t);
    }
    engine->reset();  // the roof is measured with nothing else in memory
    auto roof = measure::measure_roof(info.kernels, m.threads);
    if (!roof) return report(roof.error());
    m.roof = std::move(*roof);
    o.json ? json(m, o, info) : table(m, o, info);
    return finish_output();
}

}  // namespace gemma3n::cli
