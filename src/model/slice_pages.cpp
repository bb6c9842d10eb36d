#include "model/slice_pages.h"

#include "model/residency.h"
#include "model/slice.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace gemma3n::model {

namespace {

using format::TensorInfo;

// Adds the parts of tensors that a slice reads.
class Collector {
public:
    Collector(const format::Checkpoint& checkpoint, const Config& config, const Slice& slice) : c_(checkpoint), config_(config), slice_(slice), last_owner_(last_kv_owner(config, slice)) {}

    SlicePages all() {
        for (const TensorInfo& t : c_.tensors()) {
            const TensorClass cls = class_of(t, config_);
            if (cls == TensorClass::head) whole(t);
            else if (cls == TensorClass::core) core(t);
        }
        join();
        return std::move(out_);
    }

private:
    void core(const TensorInfo& t) {
        if (t.name == "per_layer_model_projection.weight") {
            for (const LayerRun& r : runs(slice_.layers)) rows(t, r.layer * config_.per_layer_width, r.n * config_.per_layer_width);
            for (const int l : slice_.layers)
                if (l < last_owner_) out_.prompt_products += static_cast<uint64_t>(config_.per_layer_width * t.cols);
            return;
        }
        if (!t.name.starts_with("layers.")) return whole(t);
        const int layer = std::atoi(t.name.c_str() + 7);
        const auto kept = std::lower_bound(slice_.layers.begin(), slice_.layers.end(), layer);
        if (kept == slice_.layers.end() || *kept != layer) return;
        const int64_t width = slice_.ff[static_cast<size_t>(kept - slice_.layers.begin())];
        const float multiplier = config_.layers[static_cast<size_t>(layer)].sparsity_multiplier;
        if (t.name.ends_with(".mlp.gate_proj.weight")) rows(t, 0, width);
        else if (t.name.ends_with(".mlp.up_proj.weight")) rows(t, 0, width, multiplier > 0 ? sparsity(multiplier) : 0);  // rows of closed gates stay unread
        else if (t.name.ends_with(".mlp.down_proj.weight")) first_cols(t, width);
        else whole(t);
    }
    void whole(const TensorInfo& t) { rows(t, 0, t.rows); }
    void rows(const TensorInfo& t, int64_t first, int64_t n, double unread = 0) {
        const uint64_t stride = row_bytes(t.type, t.cols);
        add(t, stride * static_cast<uint64_t>(first), stride * static_cast<uint64_t>(n));
        const uint64_t bytes = stride * static_cast<uint64_t>(n);
        out_.read_bytes += bytes - static_cast<uint64_t>(unread * static_cast<double>(bytes));
        count(t, n * t.cols);
    }
    void first_cols(const TensorInfo& t, int64_t n) {
        if (n == t.cols) return whole(t);
        const uint64_t stride = row_bytes(t.type, t.cols), kept = row_bytes(t.type, n);
        for (int64_t r = 0; r < t.rows; r++) add(t, stride * static_cast<uint64_t>(r), kept);
        out_.read_bytes += kept * static_cast<uint64_t>(t.rows);
        count(t, n * t.rows);
    }
    void count(const TensorInfo& t, int64_t values) {
        if (class_of(t, config_) == TensorClass::core) out_.parameters += static_cast<uint64_t>(values);
        if (t.rows > 1 && multiplies_prompts(t)) out_.prompt_products += static_cast<uint64_t>(values);
    }
    // The layers below the last KV owner, that one's own keys and values, and what makes the streams.
    bool multiplies_prompts(const TensorInfo& t) const {
        if (t.name.starts_with("altup_projections.")) return true;
        if (!t.name.starts_with("layers.")) return false;
        const int layer = std::atoi(t.name.c_str() + 7);
        return layer < last_owner_ || (layer == last_owner_ && (t.name.ends_with(".k_proj.weight") || t.name.ends_with(".v_proj.weight")));
    }
    void add(const TensorInfo& t, uint64_t offset, uint64_t n_bytes) {
        const uint64_t page = page_bytes(), begin = (t.offset + offset) / page * page, end = (t.offset + offset + n_bytes + page - 1) / page * page;
        std::vector<PageRange>& r = out_.ranges;
        if (!r.empty() && r.back().file == t.file && r.back().begin <= begin && begin <= r.back().end) r.back().end = std::max(r.back().end, end);
        else r.push_back({t.file, begin, end});
    }
    void join() {
        std::vector<PageRange>& r = out_.ranges;
        std::sort(r.begin(), r.end(), [](const PageRange& a, const PageRange& b) { return std::tie(a.file, a.begin) < std::tie(b.file, b.begin); });
        size_t n = 0;
        for (const PageRange& x : r) {
            if (n > 0 && r[n - 1].file == x.file && x.begin <= r[n - 1].end) r[n - 1].end = std::max(r[n - 1].end, x.end);
            else r[n++] = x;
        }
        r.resize(n);
    }

    const format::Checkpoint& c_;
    const Config& config_;
    const Slice& slice_;
    const int last_owner_;
    SlicePages out_;
};

}  // namespace

uint64_t SlicePages::bytes() const {
    uint64_t n = 0;
    for (const PageRange& r : ranges) n += r.end - r.begin;
    return n;
}

SlicePages pages_of(const format::Checkpoint& checkpoint, const Config& config, const Slice& slice) { return Collector(checkpoint, config, slice).all(); }

void read_ahead(const format::Checkpoint& checkpoint, const SlicePages& pages) {
    constexpr uint64_t worth_a_call = 64 << 10;  // smaller gaps are read too
    for (size_t i = 0; i < pages.ranges.size();) {
        PageRange r = pages.ranges[i++];
        for (; i < pages.ranges.size() && pages.ranges[i].file == r.file && pages.ranges[i].begin - r.end < worth_a_call; i++) r.end = pages.ranges[i].end;
        checkpoint.files()[static_cast<size_t>(r.file)]->advise(r.begin, r.end - r.begin, Advice::will_need);
    }
}

void release_rest(const format::Checkpoint& checkpoint, const SlicePages& whole, const SlicePages& kept) {
    auto k = kept.ranges.begin();
    const auto before = [](const PageRange& a, const PageRange& b) { return a.file < b.file || (a.file == b.file && a.end <= b.begin); };
    for (const PageRange& w : whole.ranges) {
        const File& file = *checkpoint.files()[static_cast<size_t>(w.file)];
        uint64_t at = w.begin;
        while (k != kept.ranges.end() && before(*k, w)) k++;
        for (auto inside = k; inside != kept.ranges.end() && inside->file == w.file && inside->begin < w.end; inside++) {
            if (at < inside->begin) file.advise(at, inside->begin - at, Advice::dont_need);
            at = std::max(at, inside->end);
        }
        if (at < w.end) file.advise(at, w.end - at, Advice::dont_need);
    }
}

}  // namespace gemma3n::model
