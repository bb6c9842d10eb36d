#include "model/slice.h"

#include <algorithm>
#include <set>

namespace gemma3n::model {

namespace {

long long ll(int64_t v) { return static_cast<long long>(v); }

std::string numbers(const std::set<int>& layers) {
    std::string s;
    for (const int l : layers) s += (s.empty() ? "" : ", ") + std::to_string(l);
    return s;
}

// Layers whose keys and values another kept one reads.
std::set<int> donors(const Config& c, const Slice& slice) {
    std::set<int> out;
    for (const int l : slice.layers)
        if (!c.owns_kv(l)) out.insert(c.layers[static_cast<size_t>(l)].kv_donor);
    return out;
}

}  // namespace

std::vector<LayerRun> runs(std::span<const int> layers) {
    std::vector<LayerRun> out;
    for (size_t k = 0; k < layers.size(); k++) {
        if (!out.empty() && out.back().layer + out.back().n == layers[k]) out.back().n++;
        else out.push_back({static_cast<int64_t>(k), layers[k], 1});
    }
    return out;
}

Slice whole(const Config& config, std::string name) {
    Slice s;
    s.name = std::move(name);
    for (int l = 0; l < config.n_layers; l++) {
        s.layers.push_back(l);
        s.ff.push_back(config.layers[static_cast<size_t>(l)].ff);
    }
    return s;
}

bool keeps(const Slice& slice, int layer) { return std::binary_search(slice.layers.begin(), slice.layers.end(), layer); }

bool same_network(const Slice& a, const Slice& b) { return a.layers == b.layers && a.ff == b.ff; }

int last_kv_owner(const Config& config, const Slice& slice) {
    int last = 0;
    for (const int l : slice.layers)
        if (config.owns_kv(l)) last = l;
    return last;
}

bool shares_cache(const Config& config, const Slice& a, const Slice& b) {
    for (int l = 0; l < config.n_layers; l++)
        if (config.owns_kv(l) && keeps(a, l) != keeps(b, l)) return false;
    return true;
}

Status check_layers(const Config& c, const Slice& slice, const std::string& subject) {
    const char* at = subject.c_str();
    if (slice.layers.empty()) return fail(Code::bad_argument, "%s keeps no layer: expected at least one", at);
    if (slice.ff.size() != slice.layers.size()) {
        return fail(Code::bad_argument, "%s has %zu feed-forward widths for %zu layers: expected one for each layer that it keeps", at, slice.ff.size(), slice.layers.size());
    }
    for (size_t k = 0; k < slice.layers.size(); k++) {
        const int l = slice.layers[k];
        if (l < 0 || l >= c.n_layers) return fail(Code::bad_argument, "%s keeps layer %d: the model has layers 0 to %lld", at, l, ll(c.n_layers - 1));
        if (k > 0 && l <= slice.layers[k - 1]) return fail(Code::bad_argument, "%s keeps layer %d after layer %d: expected ascending numbers", at, l, slice.layers[k - 1]);
        const int64_t whole_ff = c.layers[static_cast<size_t>(l)].ff;
        if (slice.ff[k] < 1 || slice.ff[k] > whole_ff) {
            return fail(Code::bad_argument, "%s has width %lld in layer %d: expected 1 to %lld, the layer's own", at, ll(slice.ff[k]), l, ll(whole_ff));
        }
    }
    for (const int l : slice.layers) {
        const int donor = c.layers[static_cast<size_t>(l)].kv_donor;
        if (!keeps(slice, donor)) {
            return fail(Code::bad_argument, "%s skips layer %d, whose keys and values layer %d reads: expected it to keep the layers that others read: %s", at, donor, l,
                        numbers(donors(c, slice)).c_str());
        }
    }
    return {};
}

Status check_slice(const Config& c, const format::Checkpoint& checkpoint, const Slice& slice, const std::string& subject) {
    TRY(check_layers(c, slice, subject));
    for (size_t k = 0; k < slice.layers.size(); k++) {
        const format::TensorInfo* down = checkpoint.find("layers." + std::to_string(slice.layers[k]) + ".mlp.down_proj.weight");
        const int64_t block = down ? info(down->type).block : 1, w = slice.ff[k];
        if (w % block == 0) continue;
        const int64_t below = w / block * block;
        const std::string nearest = below > 0 ? text("%lld or %lld", ll(below), ll(below + block)) : std::to_string(block);
        return fail(Code::bad_argument, "%s has width %lld in layer %d: '%s' is %s, in blocks of %lld: expected a multiple of that, %s", subject.c_str(), ll(w), slice.layers[k],
                    down->stored_name.c_str(), info(down->type).name.data(), ll(block), nearest.c_str());
    }
    return {};
}

Config sliced(const Config& config, const Slice& slice) {
    Config c = config;
    c.layers.clear();
    c.slices.clear();
    for (size_t k = 0; k < slice.layers.size(); k++) {
        LayerConfig layer = config.layers[static_cast<size_t>(slice.layers[k])];
        layer.ff = slice.ff[k];
        layer.kv_donor = static_cast<int>(std::lower_bound(slice.layers.begin(), slice.layers.end(), layer.kv_donor) - slice.layers.begin());
        c.layers.push_back(layer);
    }
    c.n_layers = static_cast<int64_t>(c.layers.size());
    return c;
}

}  // namespace gemma3n::model
