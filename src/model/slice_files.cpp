// Slices from files: JSON objects, and rows of the table in which they were published.
#include "base/file.h"
#include "model/json_object.h"
#include "model/slices.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace gemma3n::model {

namespace {

using simdjson::dom::element;

constexpr size_t most_slices = 1024;
constexpr int64_t most_width = 1 << 24;  // of a layer; what the model has is checked afterwards

// ---- JSON ------------------------------------------------------------------------------------------------------------

Result<std::vector<int>> layer_numbers(const Object& o, const char* key) {
    ASSIGN(const std::vector<double> list, o.list(key, 1));
    std::vector<int> layers;
    for (const double d : list) {
        if (!(d >= 0 && d < 4096 && d == std::floor(d))) return fail(Code::bad_file, "%s: '%s' holds %g: expected numbers of layers", o.path().c_str(), key, d);
        layers.push_back(static_cast<int>(d));
    }
    return layers;
}

Result<Slice> slice_from_object(const element& e, const Config& config, const std::string& path) {
    if (!e.is_object()) return fail(Code::bad_file, "%s: a slice is not an object: expected {\"name\", \"layers\" or \"skip\", \"widths\"}", path.c_str());
    const Object o(e, path);
    for (const auto field : simdjson::dom::object(e)) {
        if (field.key == "name" || field.key == "layers" || field.key == "skip" || field.key == "widths") continue;
        return fail(Code::bad_file, "%s: a slice has the field '%s': expected name, layers, skip and widths", path.c_str(), shown(field.key).c_str());
    }
    Slice s;
    s.name = o.string_or("name", "");
    ASSIGN(const std::vector<int> skip, layer_numbers(o, "skip"));
    if (o.find("layers")) {
        if (o.find("skip")) return fail(Code::bad_file, "%s: a slice has both 'layers' and 'skip': expected one of them", path.c_str());
        ASSIGN(s.layers, layer_numbers(o, "layers"));
    } else {
        for (const int l : skip)
            if (l >= config.n_layers) return fail(Code::bad_file, "%s: 'skip' holds %d: the model has layers 0 to %lld", path.c_str(), l, static_cast<long long>(config.n_layers - 1));
        for (int l = 0; l < config.n_layers; l++)
            if (std::find(skip.begin(), skip.end(), l) == skip.end()) s.layers.push_back(l);
    }
    ASSIGN(const std::vector<double> widths, o.list("widths", static_cast<int64_t>(s.layers.size())));
    for (const double w : widths) {
        if (!(w >= 1 && w <= most_width && w == std::floor(w))) return fail(Code::bad_file, "%s: 'widths' holds %g: expected whole numbers above 0", path.c_str(), w);
        s.ff.push_back(static_cast<int64_t>(w));
    }
    if (widths.empty())
        for (const int l : s.layers) s.ff.push_back(l < config.n_layers ? config.layers[static_cast<size_t>(l)].ff : 0);
    return s;
}

// ---- CSV -------------------------------------------------------------------------------------------------------------

// The fields of a line; "..." may hold commas, "" within it is a quote.
std::vector<std::string> fields(std::string_view line) {
    std::vector<std::string> out(1);
    bool quoted = false;
    for (size_t i = 0; i < line.size(); i++) {
        const char c = line[i];
        if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') out.back() += line[i++];
        else if (c == '"') quoted = !quoted;
        else if (c == ',' && !quoted) out.emplace_back();
        else out.back() += c;
    }
    return out;
}

// "[2_048 * 4, 20]" -> 8192, 20; nothing for what is not such a list, or holds something beyond `most_width`.
std::optional<std::vector<int64_t>> products(std::string_view s) {
    std::vector<int64_t> out;
    int64_t product = 1, number = 0;
    bool digits = false, open = false;
    const auto end_number = [&]() {
        if (!digits) return false;
        product *= number;  // both at most most_width
        number = 0, digits = false;
        return product <= most_width;
    };
    for (const char c : s) {
        if (c == '[' && !open && out.empty()) open = true;
        else if (!open) {
            if (c != ' ') return std::nullopt;
        } else if (c >= '0' && c <= '9') {
            number = number * 10 + (c - '0'), digits = true;
            if (number > most_width) return std::nullopt;
        } else if (c == '*') {
            if (!end_number()) return std::nullopt;
        } else if (c == ',' || c == ']') {
            if (c == ']' && !digits && out.empty() && product == 1) return out;  // []
            if (!end_number()) return std::nullopt;
            out.push_back(product);
            product = 1;
            if (c == ']') open = false;
        } else if (c != '_' && c != ' ') {
            return std::nullopt;
        }
    }
    if (open) return std::nullopt;
    return out;
}

Result<Slice> slice_from_row(const std::vector<std::string>& row, const Config& config, const std::string& at) {
    if (row.size() < 5) return fail(Code::bad_file, "%s: has %zu fields: expected name, layers, billions, MMLU, widths, skipped layers", at.c_str(), row.size());
    const auto widths = products(row[4]), skipped = products(row.size() > 5 ? row[5] : "");
    if (!widths || !skipped) return fail(Code::bad_file, "%s: '%s' is not a list like [2_048 * 4, 2_048 * 8]", at.c_str(), shown(row[widths ? 5 : 4]).c_str());
    Slice s{row[0], {}, *widths};
    for (int l = 0; l < config.n_layers; l++)
        if (std::find(skipped->begin(), skipped->end(), l) == skipped->end()) s.layers.push_back(l);
    return s;
}

// ---- both ------------------------------------------------------------------------------------------------------------

Status check_all(const std::vector<Slice>& slices, const Config& config, const std::string& path) {
    if (slices.empty()) return fail(Code::bad_file, "%s: lists no slice", path.c_str());
    std::set<std::string> seen;
    for (const Slice& s : slices) {
        if (slices.size() > 1 && s.name.empty()) return fail(Code::bad_file, "%s: a slice has no name: expected one for each of %zu", path.c_str(), slices.size());
        if (!seen.insert(s.name).second) return fail(Code::bad_file, "%s: two slices are named '%s'", path.c_str(), shown(s.name).c_str());
        TRY(check_layers(config, s, text("%s: slice '%s'", path.c_str(), shown(s.name).c_str())));
    }
    return {};
}

std::string quoted(const std::string& name) {
    std::string s = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') s += '\\';
        s += static_cast<unsigned char>(c) < 32 ? text("\\u%04x", c) : std::string(1, c);
    }
    return s + "\"";
}

std::string joined(const auto& numbers) {
    std::string s;
    for (const auto n : numbers) s += (s.empty() ? "" : ",") + std::to_string(n);
    return s;
}

}  // namespace

Result<std::vector<Slice>> slices_from_json(const std::string& json, const Config& config, const std::string& path) {
    simdjson::dom::parser parser;
    element root;
    if (const auto e = parser.allocate(json.size(), 32)) return fail(Code::bad_file, "%s: %s", path.c_str(), simdjson::error_message(e));
    if (const auto e = parser.parse(json).get(root)) return fail(Code::bad_file, "%s: is not valid JSON: %s", path.c_str(), simdjson::error_message(e));
    std::vector<Slice> slices;
    simdjson::dom::array list;
    if (!root.get(list)) {
        if (list.size() > most_slices) return fail(Code::bad_file, "%s: lists %zu slices: expected %zu at most", path.c_str(), list.size(), most_slices);
        for (const element e : list) {
            ASSIGN(Slice s, slice_from_object(e, config, path));
            slices.push_back(std::move(s));
        }
    } else {
        ASSIGN(Slice s, slice_from_object(root, config, path));
        slices.push_back(std::move(s));
    }
    TRY(check_all(slices, config, path));
    return slices;
}

Result<std::vector<Slice>> slices_from_csv(const std::string& csv, const Config& config, const std::string& path) {
    std::vector<Slice> slices;
    int line_number = 0;
    for (size_t begin = 0; begin < csv.size();) {
        size_t end = std::min(csv.find('\n', begin), csv.size());
        std::string_view line(csv.data() + begin, end - begin);
        begin = end + 1;
        line_number++;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.find_first_not_of(' ') == std::string_view::npos) continue;
        const std::vector<std::string> row = fields(line);
        const bool is_heading = line_number == 1 && (row.size() < 2 || row[1].find_first_not_of("0123456789 ") != std::string::npos);
        if (is_heading) continue;
        if (slices.size() == most_slices) return fail(Code::bad_file, "%s: lists more than %zu slices", path.c_str(), most_slices);
        ASSIGN(Slice s, slice_from_row(row, config, text("%s: line %d", path.c_str(), line_number)));
        slices.push_back(std::move(s));
    }
    TRY(check_all(slices, config, path));
    return slices;
}

Result<Slice> slice_from_file(const std::string& path_and_name, const Config& config) {
    std::string path = path_and_name, name;
    if (const size_t colon = path.rfind(':'); colon != std::string::npos && !path.ends_with(".json") && !path.ends_with(".csv")) {
        name = path.substr(colon + 1);
        path.resize(colon);
    }
    ASSIGN(const auto file, File::open(path));
    if (file->size() > 16 << 20) return fail(Code::bad_file, "%s: has %llu bytes: expected a small list of slices", path.c_str(), static_cast<unsigned long long>(file->size()));
    std::string content(file->size(), '\0');
    TRY(file->read(0, {reinterpret_cast<std::byte*>(content.data()), content.size()}));
    ASSIGN(std::vector<Slice> slices, path.ends_with(".csv") ? slices_from_csv(content, config, path) : slices_from_json(content, config, path));
    std::string names;
    for (Slice& s : slices) {
        if (slices.size() == 1 && name.empty()) {
            if (s.name.empty()) s.name = std::filesystem::path(path).stem().string();
            return std::move(s);
        }
        if (s.name == name) return std::move(s);
        names += (names.empty() ? "" : ", ") + shown(s.name);
    }
    if (name.empty()) return fail(Code::bad_argument, "%s: lists %zu slices: expected %s:NAME, with one of %s", path.c_str(), slices.size(), path.c_str(), names.c_str());
    return fail(Code::bad_argument, "%s: has no slice '%s': it has %s", path.c_str(), shown(name).c_str(), names.c_str());
}

std::string slices_to_json(const std::vector<Slice>& slices) {
    std::string s;
    for (const Slice& x : slices) {
        s += (s.empty() ? "[{\"name\": " : ", {\"name\": ") + quoted(x.name) + ", \"layers\": [" + joined(x.layers) + "], \"widths\": [" + joined(x.ff) + "]}";
    }
    return s + "]";
}

}  // namespace gemma3n::model
