// The slices of Gemma 3n E4B whose quality was published with it (data set google/gemma3n-slicing-configs).
#include "model/slices.h"

#include <charconv>

namespace gemma3n::model {

namespace {

struct Row {
    const char* name;
    double billions, mmlu;  // as listed
    bool skips;             // layers 20 to 24
    std::string_view wide;  // layers of 16384, the others have 8192; ranges of numbers of the whole model
};

// The list has one more row for the whole, and calls the last one 3.79B.
constexpr Row rows[] = {
    {"e2b", 1.91, 50.90, true, ""},
    {"1.96b-layer", 1.96, 53.40, true, "4"},
    {"2.54b-layer", 2.54, 55.40, false, "4 20-24"},
    {"2.69b-layer", 2.69, 57.70, false, "4 9 14 19-24"},
    {"2.98b-layer", 2.98, 59.50, false, "15-24 30-34"},
    {"3.18b-layer", 3.18, 61.80, false, "4 9-24 29 34"},
    {"3.39b-layer", 3.39, 63.00, false, "4 9-29 34"},
    {"3.59b-layer", 3.59, 63.40, false, "4-29 34"},
    {"3.79b-layer", 3.79, 63.40, false, "4-34"},
    {"2.49b-block", 2.49, 54.50, false, "20-24"},
    {"2.73b-block", 2.73, 57.10, false, "15-24"},
    {"2.98b-block", 2.98, 59.50, false, "10-24"},
    {"3.24b-block", 3.24, 60.70, false, "10-29"},
    {"3.49b-block", 3.49, 61.40, false, "5-29"},
    {"3.79b-block", 3.74, 62.00, false, "5-34"},
};
constexpr double whole_billions = 3.98, whole_mmlu = 62.30;
constexpr int64_t n_layers = 35, n_layers_e2b = 30, n_owners = 20, narrow = 8192, wide = 16384, hidden = 2048;

bool in_ranges(std::string_view ranges, int layer) {
    while (!ranges.empty()) {
        const std::string_view range = ranges.substr(0, ranges.find(' '));
        int first = 0, last = 0;
        const char* end = range.data() + range.size();
        const char* after = std::from_chars(range.data(), end, first).ptr;
        last = first;
        if (after != end) std::from_chars(after + 1, end, last);
        if (first <= layer && layer <= last) return true;
        ranges.remove_prefix(std::min(range.size() + 1, ranges.size()));
    }
    return false;
}

// A network of the published shapes, whatever its weights.
bool has_shape(const Config& c, int64_t layers, int64_t ff) {
    if (c.family != Family::gemma3n || c.n_layers != layers || c.hidden != hidden) return false;
    for (int l = 0; l < layers; l++)
        if (c.layers[static_cast<size_t>(l)].ff != ff || c.owns_kv(l) != (l < n_owners)) return false;
    return true;
}

}  // namespace

bool is_published_name(std::string_view name) {
    if (name == "e4b") return true;
    for (const Row& r : rows)
        if (name == r.name) return true;
    return false;
}

std::vector<ListedSlice> published_slices(const Config& config) {
    std::vector<ListedSlice> out;
    if (has_shape(config, n_layers_e2b, narrow)) out.push_back({whole(config, "e2b"), 1.91, 50.90});
    if (!has_shape(config, n_layers, wide)) return out;
    out.push_back({whole(config, "e4b"), whole_billions, whole_mmlu});
    for (const Row& r : rows) {
        ListedSlice listed{{r.name, {}, {}}, r.billions, r.mmlu};
        for (int l = 0; l < n_layers; l++) {
            if (r.skips && l >= 20 && l < 25) continue;
            listed.slice.layers.push_back(l);
            listed.slice.ff.push_back(in_ranges(r.wide, l) ? wide : narrow);
        }
        out.push_back(std::move(listed));
    }
    return out;
}

}  // namespace gemma3n::model
