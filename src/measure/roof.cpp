#include "measure/roof.h"

#include "base/cpu.h"
#include "base/result.h"
#include "kernels/roof.h"
#include "parallel/pool.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace gemma3n::measure {

namespace {

constexpr uint64_t least_bytes = 256 << 20, most_bytes = uint64_t{4} << 30;
constexpr int runs = 5;  // the best of as many counts: a roof is what was reached once
constexpr int64_t rounds = 1 << 21;

template <class F>
double best_seconds(F&& f) {
    double best = 1e9;
    for (int i = 0; i < runs; i++) {
        const auto start = std::chrono::steady_clock::now();
        f();
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}

}  // namespace

uint64_t roof_buffer_bytes() { return std::clamp(4 * last_level_cache_bytes(), least_bytes, most_bytes) / kernels::roof_read_unit * kernels::roof_read_unit; }

Result<Roof> measure_roof(const std::string& name, int threads) {
    const kernels::Table* table = kernels::choose(name.c_str());
    if (!table) return fail(Code::bad_argument, "kernels '%s' cannot run here", name.c_str());
    const kernels::Roof& k = kernels::roof(*table);
    Roof roof;
    roof.int8_instruction = k.int8_instruction;
    roof.buffer_bytes = roof_buffer_bytes();
    const std::unique_ptr<std::byte, void (*)(void*)> buffer(static_cast<std::byte*>(std::aligned_alloc(kernels::roof_read_unit, roof.buffer_bytes)), std::free);
    if (!buffer) return fail(Code::over_budget, "the roof of the machine needs a buffer of %llu bytes: there is no memory for it", static_cast<unsigned long long>(roof.buffer_bytes));
    memset(buffer.get(), 1, roof.buffer_bytes);
    std::vector<int> teams{1};
    if (threads > 1) teams.push_back(threads);
    for (const int n : teams) {
        Pool pool(n);
        const PoolAwake awake(pool);
        std::vector<uint64_t> sink(static_cast<size_t>(n) * 8);  // a cache line each: what is computed must be used
        const double read = best_seconds([&] {
            pool.split(static_cast<int64_t>(roof.buffer_bytes), kernels::roof_read_unit, [&](int64_t b, int64_t e, int w) { sink[static_cast<size_t>(w) * 8] += k.read(buffer.get() + b, static_cast<uint64_t>(e - b)); });
        });
        const double int8 = best_seconds([&] { pool.split(n, 1, [&](int64_t, int64_t, int w) { sink[static_cast<size_t>(w) * 8] += static_cast<uint32_t>(k.int8(rounds)); }); });
        const double f32 = best_seconds([&] { pool.split(n, 1, [&](int64_t, int64_t, int w) { sink[static_cast<size_t>(w) * 8] += k.f32(rounds) > 0; }); });
        volatile uint64_t used = sink[0];
        (void)used;
        const double per_round = static_cast<double>(rounds) * n / 1e9;
        roof.at.push_back({n, static_cast<double>(roof.buffer_bytes) / read / 1e9, per_round * static_cast<double>(k.int8_round) / int8, per_round * static_cast<double>(k.f32_round) / f32});
    }
    return roof;
}

}  // namespace gemma3n::measure
