#include "model/slices.h"

#include <charconv>
#include <cmath>

namespace gemma3n::model {

namespace {

bool is_file_name(const std::string& name) {
    const size_t colon = name.rfind(':');
    for (const std::string& s : {name, name.substr(0, colon)})
        if (s.ends_with(".json") || s.ends_with(".csv")) return true;
    return false;
}

// "2.98b" -> 2.98; 0 for what is not such a size.
double bare_size(const std::string& name) {
    double v = 0;
    const char* end = name.data() + name.size() - 1;
    const auto [at, error] = std::from_chars(name.data(), end, v, std::chars_format::fixed);
    return error == std::errc{} && at == end && (*end == 'b' || *end == 'B') && std::isfinite(v) && v > 0 ? v : 0;
}

// The best one at or below a size: the highest MMLU, of equals the one searched by layers, then the smaller.
const ListedSlice* best_within(const std::vector<ListedSlice>& all, double billions) {
    const auto by_block = [](const ListedSlice& s) { return s.slice.name.ends_with("-block"); };
    const ListedSlice* best = nullptr;
    for (const ListedSlice& s : all) {
        if (s.mmlu == 0 || s.billions > billions + 1e-9) continue;
        const bool better = !best || s.mmlu > best->mmlu || (s.mmlu == best->mmlu && (by_block(s) != by_block(*best) ? by_block(*best) : s.billions < best->billions));
        if (better) best = &s;
    }
    return best;
}

std::string names(const std::vector<ListedSlice>& all) {
    std::string s;
    for (const ListedSlice& l : all) s += (s.empty() ? "" : ", ") + shown(l.slice.name);
    return s;
}

Result<Slice> by_name(const Config& config, const std::string& name) {
    const std::vector<ListedSlice> all = listed_slices(config);
    for (const ListedSlice& l : all)
        if (l.slice.name == name) return l.slice;
    if (is_file_name(name)) return slice_from_file(name, config);
    if (is_published_name(name)) {
        return fail(Code::bad_argument, "size '%s' is a slice of Gemma 3n E4B, and this model, of %lld layers, is not one: it has %s", name.c_str(), static_cast<long long>(config.n_layers),
                    names(all).c_str());
    }
    if (const double billions = name.empty() ? 0 : bare_size(name); billions > 0) {
        if (const ListedSlice* best = best_within(all, billions)) return best->slice;
        return fail(Code::bad_argument, "size '%s': no slice of this model is listed at or below it: it has %s", shown(name).c_str(), names(all).c_str());
    }
    return fail(Code::bad_argument, "size '%s' is not known: this model has %s; or name a .json or .csv file", shown(name).c_str(), names(all).c_str());
}

}  // namespace

std::vector<ListedSlice> listed_slices(const Config& config) {
    std::vector<ListedSlice> all{{whole(config), 0, 0}};
    for (const Slice& s : config.slices) all.push_back({s, 0, 0});
    for (ListedSlice& s : published_slices(config)) all.push_back(std::move(s));
    return all;
}

Result<Slice> find_slice(const Config& config, const format::Checkpoint& checkpoint, const std::string& name) {
    ASSIGN(Slice slice, by_name(config, name));
    TRY(check_slice(config, checkpoint, slice, text("size '%s'", shown(name).c_str())));
    return slice;
}

}  // namespace gemma3n::model
