// bench: how fast a model runs here, where the time goes, and what share of the machine that is.
#include "measure/bench.h"

#include "base/cpu.h"
#include "base/result.h"
#include "cli/bench.h"
#include "cli/progress.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

namespace gemma3n::cli {

namespace {

double step_seconds(const measure::PhaseTimes& p) {
    double sum = 0;
    for (const StepTime& t : p.steps) sum += t.seconds;
    return sum;
}

std::string json_phase(const measure::PhaseTimes& p) {
    std::string s;
    for (const StepTime& t : p.steps) {
        s += (s.empty() ? "" : ", ") + json_string(t.name) + ": {\"seconds\": " + json_number(t.seconds) + ", \"share\": " + json_number(t.seconds / p.wall_s) + ", \"calls\": " + json_number(t.calls) + "}";
    }
    return "{\"wall_s\": " + json_number(p.wall_s) + ", \"outside_s\": " + json_number(p.wall_s - step_seconds(p)) + ", \"steps\": {" + s + "}}";
}

struct Measured {
    measure::Bench bench;
    std::optional<measure::Roof> roof;
    double load_s = 0;
    int threads = 0;
    const measure::SizeBench& first() const { return bench.sizes[0]; }
    // a token reads each of these weights once, of sparse layers' up_proj the share that is open on average
    double decode_gb_per_s() const { return static_cast<double>(first().size.bytes_per_token) * first().decode.median() / 1e9; }
};

// How much faster than another size: as measured in neighbouring runs, and as the bytes (decode) and the multiplications with weights (prefill) would have it.
struct Against {
    double prefill, prefill_ceiling, decode, decode_ceiling;
    Against(const measure::SizeBench& s, const measure::SizeBench& other)
        : prefill(s.prefill_speedup), prefill_ceiling(static_cast<double>(other.size.prompt_products) / static_cast<double>(s.size.prompt_products)),
          decode(s.decode_speedup), decode_ceiling(static_cast<double>(other.size.bytes_per_token) / static_cast<double>(s.size.bytes_per_token)) {}
};

std::string json_size(const measure::SizeBench& s, const measure::SizeBench& first) {
    const Against x(s, first);
    return Json().add("size", s.size.slice.name).add("layers", s.size.slice.layers.size()).add("prefill_tokens_per_s", s.prefill.median()).add("decode_tokens_per_s", s.decode.median())
        .raw("prefill_runs", json_list(s.prefill.tokens_per_s)).raw("decode_runs", json_list(s.decode.tokens_per_s))
        .add("decode_bytes_per_token", s.size.bytes_per_token).add("prefill_products_per_token", s.size.prompt_products).add("resident_bytes", s.size.resident_bytes)
        .add("prefill_speedup", x.prefill).add("prefill_ceiling", x.prefill_ceiling).add("decode_speedup", x.decode).add("decode_ceiling", x.decode_ceiling)
        .raw("prefill_times", json_phase(s.prefill)).raw("decode_times", json_phase(s.decode)).str();
}

void json(const Measured& m, const BenchOptions& o, const ModelInfo& info) {
    Json j;
    j.add("model", info.path).add("name", info.name).add("cpu", info.cpu).add("kernels", info.kernels).add("threads", m.threads).add("activations", o.model.activations);
    j.add("prompt_tokens", o.prompt).add("decode_tokens", o.decode).add("repeats", o.repeats).add("seed", o.seed).add("load_s", m.load_s);
    const measure::SizeBench& first = m.first();
    j.add("size", first.size.slice.name).add("prefill_tokens_per_s", first.prefill.median()).add("decode_tokens_per_s", first.decode.median());
    j.raw("prefill_runs", json_list(first.prefill.tokens_per_s)).raw("decode_runs", json_list(first.decode.tokens_per_s));
    j.add("peak_rss_bytes", m.bench.peak_rss_bytes).add("decode_bytes_per_token", first.size.bytes_per_token).add("decode_gb_per_s", m.decode_gb_per_s());
    j.raw("prefill_times", json_phase(first.prefill)).raw("decode_times", json_phase(first.decode));
    if (m.bench.sizes.size() > 1) {
        std::string sizes;
        for (const measure::SizeBench& s : m.bench.sizes) sizes += (sizes.empty() ? "" : ", ") + json_size(s, first);
        j.raw("sizes", "[" + sizes + "]");
    }
    if (m.roof) {
        Json roof = roof_json(*m.roof);
        roof.add("decode_share_of_read", m.decode_gb_per_s() / m.roof->at.back().read_gb_per_s);
        j.raw("roof", roof.str());
    }
    printf("%s\n", j.str().c_str());
}

void speed_row(const char* what, int64_t n, const measure::PhaseTimes& p) {
    printf("%-10s %6lld tokens   %10.2f tokens/s   (%.2f to %.2f in %zu runs)\n", what, static_cast<long long>(n), p.median(), p.tokens_per_s.front(), p.tokens_per_s.back(), p.tokens_per_s.size());
}

void step_table(const char* what, const measure::PhaseTimes& p) {
    printf("\n%-20s %10s %8s %8s\n", what, "seconds", "share", "calls");
    for (const StepTime& t : p.steps) printf("  %-18s %10.4f %7.1f%% %8lld\n", t.name.c_str(), t.seconds, 100 * t.seconds / p.wall_s, static_cast<long long>(t.calls));
    const double outside = p.wall_s - step_seconds(p);
    printf("  %-18s %10.4f %7.1f%%\n", "outside of steps", outside, 100 * outside / p.wall_s);
}

void table(const Measured& m, const BenchOptions& o, const ModelInfo& info) {
    printf("%s (%s)\n%s kernels, %d thread%s, %s activations, on %s\n", info.name.c_str(), info.path.c_str(), info.kernels.c_str(), m.threads, m.threads == 1 ? "" : "s", o.model.activations.c_str(), info.cpu.c_str());
    printf("load       %.3f s, peak resident memory %.3f GB\n", m.load_s, static_cast<double>(m.bench.peak_rss_bytes) / 1e9);
    const measure::SizeBench& first = m.first();
    for (const measure::SizeBench& s : m.bench.sizes) {
        if (m.bench.sizes.size() > 1) {
            const Against x(s, first);
            printf("\nsize %s: %zu layers, %.3f B parameters, %.3f GB of weights a token\n", s.size.slice.name.c_str(), s.size.slice.layers.size(), static_cast<double>(s.size.n_parameters) / 1e9,
                   static_cast<double>(s.size.bytes_per_token) / 1e9);
            if (&s != &first) {
                printf("           of %s's speed: prefill %.2f times (multiplications allow %.2f), decode %.2f times (bytes allow %.2f)\n", first.size.slice.name.c_str(), x.prefill, x.prefill_ceiling, x.decode,
                       x.decode_ceiling);
            }
        }
        speed_row("prefill", o.prompt, s.prefill);
        speed_row("decode", o.decode, s.decode);
    }
    const std::string which = m.bench.sizes.size() > 1 ? " of " + first.size.slice.name : "";
    step_table(("prefill, one run" + which).c_str(), first.prefill);
    step_table(("decode, one run" + which).c_str(), first.decode);
    printf("\ndecode%s reads %.3f GB of weights a token: %.1f GB/s", which.c_str(), static_cast<double>(first.size.bytes_per_token) / 1e9, m.decode_gb_per_s());
    if (!m.roof) {
        printf("\n");
        return;
    }
    printf(", %.0f %% of what the machine can read\n\n", 100 * m.decode_gb_per_s() / m.roof->at.back().read_gb_per_s);
    roof_table(*m.roof);
}

}  // namespace

Json roof_json(const measure::Roof& roof) {
    std::string at;
    for (const measure::RoofAt& r : roof.at) {
        at += (at.empty() ? "" : ", ") + std::string("{\"threads\": ") + json_number(r.threads) + ", \"read_gb_per_s\": " + json_number(r.read_gb_per_s) + ", \"int8_gops\": " + json_number(r.int8_gops) +
              ", \"f32_gflops\": " + json_number(r.f32_gflops) + "}";
    }
    Json j;
    j.add("int8_instruction", roof.int8_instruction).add("buffer_bytes", roof.buffer_bytes).raw("at", "[" + at + "]");
    return j;
}

void roof_table(const measure::Roof& roof) {
    printf("%-20s %10s %12s %12s\n", "roof", "GB/s", "int8 GOPS", "f32 GFLOPS");
    for (const measure::RoofAt& r : roof.at) printf("  %-18s %10.1f %12.0f %12.0f\n", (std::to_string(r.threads) + (r.threads == 1 ? " thread" : " threads")).c_str(), r.read_gb_per_s, r.int8_gops, r.f32_gflops);
    printf("reading %.2f GB; int8 by %s\n", static_cast<double>(roof.buffer_bytes) / 1e9, roof.int8_instruction.c_str());
}

Status check_roof(const BenchOptions& o) {
    constexpr uint64_t program_bytes = 80'000'000;  // that stays when the model has gone
    const uint64_t needed = measure::roof_buffer_bytes() + program_bytes;
    if (o.model.memory == 0 || needed <= o.model.memory) return {};
    return Error{Code::over_budget, "the machine's roof is measured by reading " + gigabytes(measure::roof_buffer_bytes()) + ", and --memory is " + gigabytes(o.model.memory) + ": what fits is --memory " +
                                        std::to_string((needed + 999999) / 1000000) + "M" + (o.roof ? ", or no --roof" : ", or none")};
}

int bench(const BenchOptions& o) {
    if (!o.vision.empty() || o.audio) return bench_towers(o);
    if (const Status s = o.roof ? check_roof(o) : Status{}; !s) return report(s.error());
    Measured m;
    const auto start = std::chrono::steady_clock::now();
    ModelOptions model = o.model;
    std::vector<std::string> sizes = o.sizes;
    if (!sizes.empty()) model.size = sizes[0];
    if (std::count(sizes.begin(), sizes.end(), "fit") > (model.size == "fit")) return usage_error("--size has 'fit' behind another: expected it first, and once");
    const MemoryNeeds needs{.context_tokens = o.prompt + o.decode};
    for (size_t i = 1; i < sizes.size(); i++) {
        if (const Status s = check_size(model, needs, sizes[i]); !s) return report(s.error());
    }
    auto engine = load(model, needs);
    if (!engine) return report(engine.error());
    m.load_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    m.threads = o.model.threads > 0 ? o.model.threads : physical_cores();
    const ModelInfo info = (*engine)->info();
    if (model.size == "fit") sizes[0] = size_name(**engine);
    Progress progress("measuring");
    auto b = measure::bench(**engine, {o.prompt, o.decode, o.repeats, o.seed, sizes}, [&](double done) { return progress.at(done); });
    if (!b) return report(b.error());
    m.bench = std::move(*b);
    engine->reset();  // the roof is measured with nothing else in memory
    if (o.roof) {
        auto roof = measure::measure_roof(info.kernels, m.threads);
        if (!roof) return report(roof.error());
        m.roof = std::move(*roof);
    }
    clear_progress();
    o.json ? json(m, o, info) : table(m, o, info);
    return finish_output();
}

}  // namespace gemma3n::cli
