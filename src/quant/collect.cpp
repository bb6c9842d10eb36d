#include "quant/collect.h"

#include "base/result.h"
#include "format/names.h"
#include "gemma3n/session.h"
#include "runtime/engine_impl.h"

#include <algorithm>
#include <unordered_map>

namespace gemma3n::quant {

namespace {

constexpr int64_t step_rows = 512;

class Squares final : public InputObserver {
public:
    Squares(const format::Checkpoint& c, Imatrix& out) {
        for (const format::TensorInfo& t : c.tensors()) {
            const auto name = format::gguf_from_canonical(t.name);
            if (!name || !name->starts_with("blk.") || t.shape.size() != 2) continue;
            ImatrixEntry& e = out.entries[*name];
            e.sum.assign(static_cast<size_t>(t.cols), 0.0);
            entry_[c.view(t).raw()] = &e;
        }
    }
    void input(const View& weights, const View& x) override {
        const auto it = entry_.find(weights.raw());
        if (it == entry_.end()) return;
        std::vector<double>& sum = it->second->sum;
        for (int64_t r = 0; r < x.n_rows; r++) {
            const float* row = x.f32(r);
            for (size_t i = 0; i < sum.size(); i++) sum[i] += static_cast<double>(row[i]) * static_cast<double>(row[i]);
        }
        it->second->count += x.n_rows;
    }

private:
    std::unordered_map<const std::byte*, ImatrixEntry*> entry_;  // by the weights' place in the mapped file
};

}  // namespace

Result<Imatrix> collect_imatrix(Engine& engine, std::span<const int> ids, int64_t chunk_tokens, const std::function<bool(double)>& progress) {
    Engine::Impl& e = engine.impl();
    Imatrix m;
    m.chunk_tokens = chunk_tokens;
    Squares squares(*e.checkpoint, m);
    const int64_t n = static_cast<int64_t>(ids.size()), per_chunk = chunk_tokens - 1;
    ASSIGN(const auto session, engine.new_session());
    for (int64_t begin = 0; begin < n; begin += per_chunk, m.chunks++) {
        std::vector<int> chunk{e.config.bos};
        chunk.insert(chunk.end(), ids.begin() + begin, ids.begin() + std::min(begin + per_chunk, n));
        model::Cache& cache = session->impl().cache;
        cache.clear();
        for (size_t at = 0; at < chunk.size();) {
            if (progress && !progress((static_cast<double>(begin) + static_cast<double>(at)) / static_cast<double>(n))) return fail(Code::cancelled, "the text was not read to its end: cancelled");
            model::Batch batch;
            batch.caches = {&cache};
            const size_t rows = std::min(chunk.size() - at, static_cast<size_t>(step_rows));
            for (size_t i = 0; i < rows; i++) batch.rows.push_back({0, cache.length() + static_cast<int64_t>(i), chunk[at + i], nullptr, i + 1 == rows});
            const std::lock_guard lock(e.mutex);
            ASSIGN([[maybe_unused]] const View logits, e.forward(batch, {.shortcut = false, .inputs = &squares}));
            at += rows;
        }
    }
    std::erase_if(m.entries, [](const auto& entry) { return entry.second.count == 0; });  // keys and values that a donor supplies
    return m;
}

}  // namespace gemma3n::quant
