#include "measure/towers.h"

#include "base/result.h"
#include "runtime/engine_impl.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace gemma3n::measure {

namespace {

using Shared = std::shared_ptr<const SoftTokens>;

// Whether most bytes of the tower's tensors are of blocks, and activations are rounded to go with them.
bool runs_int8(const Engine::Impl& e, std::string_view prefix) {
    uint64_t blocks = 0, all = 0;
    for (const format::TensorInfo& t : e.towers->checkpoint()->tensors()) {
        if (!t.name.starts_with(prefix)) continue;
        all += t.bytes;
        blocks += is_quantised(t.type) ? t.bytes : 0;
    }
    return e.options.activations == Activations::q8 && 2 * blocks > all;
}

template <class F>
Status repeat(const ModelInfo& m, int n, const std::function<bool(double)>& progress, TowerTimes& times, F&& encode) {
    for (int i = 0; i <= n; i++) {  // the first brings the weights into memory: it is not counted
        if (progress && !progress(static_cast<double>(i) / (n + 1))) return fail(Code::cancelled, "the benchmark was cancelled");
        const auto start = std::chrono::steady_clock::now();
        ASSIGN(const Shared soft, encode());
        const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        for (const float x : soft->values) {
            if (!std::isfinite(x)) return fail(Code::bad_file, "%s: gives soft tokens that are not finite: there is nothing to time", (m.projector.empty() ? m.path : m.projector).c_str());
        }
        if (i > 0) times.seconds.push_back(s);
    }
    std::sort(times.seconds.begin(), times.seconds.end());
    return {};
}

// Bytes that look like nothing, the same everywhere.
uint32_t scrambled(uint32_t i) { return (i * 2654435761u) >> 16; }

}  // namespace

Result<TowerTimes> bench_vision(Engine& engine, int64_t side, int repeats, const std::function<bool(double)>& progress) {
    Engine::Impl& e = engine.impl();
    TowerTimes times;
    {
        const std::lock_guard lock(e.mutex);
        ASSIGN(const auto tower, e.towers->vision());
        ASSIGN(const model::Embedder* embedder, e.towers->embed_vision());
        TRY(tower->check_side(side));
        times.multiplications = tower->multiplications(side) + static_cast<double>(tower->n_tokens()) * embedder->multiplications();
        times.int8 = runs_int8(e, "vision_tower.");
    }
    Image image{side, side, std::vector<uint8_t>(static_cast<size_t>(3 * side * side))};
    for (size_t i = 0; i < image.rgb.size(); i++) image.rgb[i] = static_cast<uint8_t>(scrambled(static_cast<uint32_t>(i)));
    TRY(repeat(engine.info(), repeats, progress, times, [&] { return engine.encode_image(image, {side}); }));
    return times;
}

Result<TowerTimes> bench_audio(Engine& engine, double seconds, int repeats, const std::function<bool(double)>& progress) {
    Engine::Impl& e = engine.impl();
    std::vector<float> samples(static_cast<size_t>(seconds * static_cast<double>(sound_rate)));
    for (size_t i = 0; i < samples.size(); i++) samples[i] = (static_cast<float>(scrambled(static_cast<uint32_t>(i)) & 0xFFFF) / 32768.0f - 1) * 0.1f;
    TowerTimes times;
    {
        const std::lock_guard lock(e.mutex);
        ASSIGN(const auto tower, e.towers->audio());
        ASSIGN(const model::Embedder* embedder, e.towers->embed_audio());
        times.multiplications = seconds * tower->multiplications_per_second() + static_cast<double>(tower->n_rows(static_cast<int64_t>(samples.size()))) * embedder->multiplications();
        times.int8 = runs_int8(e, "audio_tower.");
    }
    TRY(repeat(engine.info(), repeats, progress, times, [&] { return engine.encode_sound(samples, {.fixed = false}); }));
    return times;
}

}  // namespace gemma3n::measure
