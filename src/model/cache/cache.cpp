#include "model/cache/cache.h"

#include "model/slice.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace gemma3n::model {

// Zeroed: attention multiplies slots beyond a query's range by zero, so they must be finite.
static std::shared_ptr<ops::KvPage> new_page(ops::KvShape shape, DType type) {
    const uint64_t bytes = shape.bytes(type);
    auto* data = static_cast<std::byte*>(std::calloc(1, bytes));
    if (!data) throw std::bad_alloc();
    return {new ops::KvPage{shape, type, {data, bytes}}, [](ops::KvPage* p) {
                std::free(p->buffer.data);
                delete p;
            }};
}

// f(keys or values, head) for all of a page.
template <class F>
static void each_head(const ops::KvPage& p, F&& f) {
    for (int which = 0; which < 2; which++)
        for (int64_t h = 0; h < p.shape.n_kv_heads; h++) f(which, h);
}

// Slots from `first` on as if nothing had been written there.
static void zero_from(const ops::KvPage& p, int64_t first) {
    const uint64_t bytes = static_cast<uint64_t>(p.shape.page_tokens - first) * p.head_bytes();
    if (bytes == 0) return;
    each_head(p, [&](int which, int64_t h) { memset(p.at(which, h, first), 0, bytes); });
}

Cache::Cache(const Config& config, CacheLayout layout, const Slice* slice)
    : layout_(layout), shape_{layout.page_tokens, config.n_kv_heads, config.head_dim}, index_(config.n_layers, -1) {
    for (int64_t l = 0; l < config.n_layers; l++) {
        if (!config.owns_kv(static_cast<int>(l)) || (slice && !keeps(*slice, static_cast<int>(l)))) continue;
        index_[l] = static_cast<int>(layers_.size());
        layers_.emplace_back().window = config.layers[l].sliding ? config.window : 0;
    }
}

void Cache::Layer::refresh() {
    view.clear();
    for (auto& p : pages) view.push_back(p.get());
}

// First page that a query at `length` or later can see.
int64_t Cache::first_needed(const Layer& layer, int64_t length) const {
    if (layer.window == 0) return 0;
    return std::max<int64_t>(0, length - layer.window + 1) / layout_.page_tokens;
}

void Cache::prepare(int64_t n) {
    const int64_t page = layout_.page_tokens;
    for (Layer& layer : layers_) {
        // pages a failed step made: a fork since then may hold them too
        while (!layer.pages.empty() && (layer.first + static_cast<int64_t>(layer.pages.size()) - 1) * page >= length_) layer.pages.pop_back();
        const int64_t tail = length_ / page - layer.first;  // the page that holds the next token
        if (n > 0 && tail < static_cast<int64_t>(layer.pages.size())) {
            const ops::KvPage& old = *layer.pages[tail];
            if (layer.pages[tail].use_count() > 1) {
                auto copy = new_page(old.shape, old.type);
                const uint64_t used = static_cast<uint64_t>(length_ % page) * old.head_bytes();
                each_head(old, [&](int which, int64_t h) { memcpy(copy->at(which, h, 0), old.at(which, h, 0), used); });
                layer.pages[tail] = std::move(copy);
            } else if (written_ > length_) {
                zero_from(old, length_ % page);
            }
        }
        while ((layer.first + static_cast<int64_t>(layer.pages.size())) * page < length_ + n) layer.pages.push_back(new_page(shape_, layout_.type));
        layer.refresh();
    }
    if (n > 0) written_ = length_ + n;
}

void Cache::commit(int64_t n) {
    length_ += n;
    for (Layer& layer : layers_) {
        const int64_t keep = first_needed(layer, std::max<int64_t>(0, length_ - layout_.slack));
        while (layer.first < keep && !layer.pages.empty()) {
            layer.pages.pop_front();
            layer.first++;
        }
        layer.refresh();
    }
}

ops::KvPages Cache::pages(int layer) const {
    const Layer& l = layers_[index_[layer]];
    return {l.view, l.first};
}

Status Cache::rollback(int64_t n) {
    const int64_t page = layout_.page_tokens;
    if (n < 0 || n > length_) {
        return fail(Code::bad_argument, "rollback to %lld tokens: the sequence has %lld", static_cast<long long>(n), static_cast<long long>(length_));
    }
    if (n == 0) return clear(), Status{};  // the next token sees nothing before it
    for (const Layer& layer : layers_) {
        if (layer.first > first_needed(layer, n)) {
            return fail(Code::bad_argument,
                        "rollback from %lld to %lld tokens: a window of %lld has given back pages the next token would see; "
                        "the last %lld tokens can be dropped, more needs the prompt processed again",
                        static_cast<long long>(length_), static_cast<long long>(n), static_cast<long long>(layer.window),
                        static_cast<long long>(layout_.slack));
        }
    }
    length_ = n;
    for (Layer& layer : layers_) {
        while ((layer.first + static_cast<int64_t>(layer.pages.size()) - 1) * page >= n && !layer.pages.empty()) layer.pages.pop_back();
        if (!layer.pages.empty() && layer.pages.back().use_count() == 1) {  // a shared tail is copied clean by the next prepare
            zero_from(*layer.pages.back(), n - (layer.first + static_cast<int64_t>(layer.pages.size()) - 1) * page);
        }
        if (layer.pages.empty()) layer.first = n / page;
        layer.refresh();
    }
    return {};
}

void Cache::clear() {
    length_ = written_ = 0;
    for (Layer& layer : layers_) {
        layer.pages.clear();
        layer.first = 0;
        layer.refresh();
    }
}

uint64_t Cache::most_layer_bytes(const Config& config, CacheLayout layout, int layer, int64_t tokens, int64_t chunk, bool kept_before) {
    constexpr uint64_t system_page = 4096, header = 16;  // of an allocation
    const ops::KvShape shape{layout.page_tokens, config.n_kv_heads, config.head_dim};
    const uint64_t page = (shape.bytes(layout.type) + header + system_page - 1) / system_page * system_page;
    const int64_t whole = (tokens + layout.page_tokens - 1) / layout.page_tokens, seen = config.window + layout.slack - 1;
    const auto within = [&](int64_t n) { return std::min(whole, (n + layout.page_tokens - 2) / layout.page_tokens + 1); };  // pages that n tokens in a row can touch
    int64_t pages = whole + kept_before;  // its last page was copied
    if (config.layers[static_cast<size_t>(layer)].sliding) pages = within(seen + chunk) + (kept_before ? within(seen) : 0);
    return static_cast<uint64_t>(pages) * page;
}

uint64_t Cache::most_bytes(const Config& config, CacheLayout layout, int64_t tokens, int64_t chunk, bool kept_before) {
    uint64_t n = 0;
    for (int l = 0; l < config.n_layers; l++)
        if (config.owns_kv(l)) n += most_layer_bytes(config, layout, l, tokens, chunk, kept_before);
    return n;
}

uint64_t Cache::bytes() const {
    uint64_t n = 0;
    for (const Layer& layer : layers_)
        for (auto& p : layer.pages) n += p->buffer.size;
    return n;
}

}  // namespace gemma3n::model
