#include "format/safetensors.h"

#include "format/names.h"

#include <simdjson.h>

#include <cstring>
#include <filesystem>
#include <set>

namespace gemma3n::format {

namespace {

constexpr int max_depth = 32;  // of JSON: headers and configs are two or three levels deep
constexpr uint64_t max_header_bytes = 100'000'000;  // as the format's own library has it

Result<DType> dtype_of(std::string_view name, const std::string& subject) {
    if (name == "F32") return DType::f32;
    if (name == "F16") return DType::f16;
    if (name == "BF16") return DType::bf16;
    return fail(Code::unsupported, "%s has type %s: expected F32, F16 or BF16", subject.c_str(), shown(name).c_str());
}

Error json_error(const std::string& path, const char* what, simdjson::error_code e) {
    return fail(Code::bad_file, "%s: %s is not valid JSON: %s", path.c_str(), what, simdjson::error_message(e));
}

}  // namespace

Status SafetensorsReader::read_shard(Checkpoint& out, const std::string& path) {
    ASSIGN(auto file, File::open(path));
    uint64_t header_bytes = 0;
    if (file->size() < 8) return fail(Code::bad_file, "%s: has %llu bytes: expected a safetensors header", path.c_str(), static_cast<unsigned long long>(file->size()));
    memcpy(&header_bytes, file->data(), 8);
    if (header_bytes > file->size() - 8) {
        return fail(Code::bad_file, "%s: announces a header of %llu bytes: the file has %llu (is it a safetensors file?)", path.c_str(),
                    static_cast<unsigned long long>(header_bytes), static_cast<unsigned long long>(file->size()));
    }
    if (header_bytes > max_header_bytes) {
        return fail(Code::bad_file, "%s: announces a header of %llu bytes: expected %llu at most", path.c_str(), static_cast<unsigned long long>(header_bytes),
                    static_cast<unsigned long long>(max_header_bytes));
    }
    const uint64_t data = 8 + header_bytes, room = file->size() - data;
    simdjson::dom::parser parser;
    simdjson::dom::object header;
    if (const auto e = parser.allocate(header_bytes, max_depth)) return json_error(path, "its header", e);
    if (const auto e = parser.parse(reinterpret_cast<const char*>(file->data()) + 8, header_bytes).get(header)) return json_error(path, "its header", e);
    const int index = static_cast<int>(out.files_.size());
    for (const auto [key, value] : header) {
        if (key == "__metadata__") continue;
        const std::string subject = path + ": tensor '" + shown(key) + "'";
        TensorInfo t;
        t.stored_name = std::string(key);
        t.name = canonical_from_hf(key);
        t.file = index;
        std::string_view dtype;
        simdjson::dom::array shape, offsets;
        if (value["dtype"].get(dtype) || value["shape"].get(shape) || value["data_offsets"].get(offsets)) {
            return fail(Code::bad_file, "%s: expected dtype, shape and data_offsets", subject.c_str());
        }
        if (is_tower(t.name) && dtype != "F32" && dtype != "F16" && dtype != "BF16") continue;  // not read by the text network
        ASSIGN(t.type, dtype_of(dtype, subject));
        uint64_t n_values = 1;
        for (const auto d : shape) {
            uint64_t n = 0;
            if (d.get(n) || n == 0 || n > (1ull << 40) || n_values > (1ull << 48) / n) {
                return fail(Code::bad_file, "%s: its shape is not a list of sizes that a file can hold", subject.c_str());
            }
            n_values *= n;
            t.shape.push_back(static_cast<int64_t>(n));
        }
        uint64_t begin = 0, end = 0;
        if (offsets.size() != 2 || offsets.at(0).get(begin) || offsets.at(1).get(end) || begin > end || end > room) {
            return fail(Code::bad_file, "%s: its data_offsets do not lie inside the %llu bytes of data (truncated?)", subject.c_str(), static_cast<unsigned long long>(room));
        }
        t.cols = t.shape.empty() ? 1 : t.shape.back();
        t.rows = static_cast<int64_t>(n_values) / t.cols;
        t.bytes = end - begin;
        t.offset = data + begin;
        const uint64_t expected = n_values * static_cast<uint64_t>(info(t.type).bytes);
        if (t.bytes != expected) {
            return fail(Code::bad_file, "%s has %llu bytes: its shape needs %llu", subject.c_str(), static_cast<unsigned long long>(t.bytes), static_cast<unsigned long long>(expected));
        }
        if (t.offset % static_cast<uint64_t>(info(t.type).bytes) != 0) {
            return fail(Code::unsupported, "%s begins at byte %llu of the file: expected a multiple of %d (saving it again with safetensors puts it there)",
                        subject.c_str(), static_cast<unsigned long long>(t.offset), info(t.type).bytes);
        }
        TRY(out.add(std::move(t)));
    }
    out.files_.push_back(std::move(file));
    return {};
}

Result<std::shared_ptr<Checkpoint>> SafetensorsReader::read(const std::string& directory) {
    auto out = std::make_shared<Checkpoint>();
    out->container_ = Container::safetensors;
    out->path_ = directory;
    while (out->path_.size() > 1 && out->path_.back() == '/') out->path_.pop_back();
    std::error_code ec;
    if (!std::filesystem::exists(out->path_ + "/config.json", ec)) {
        return fail(Code::not_found, "%s: has no config.json: expected a .gguf file or a directory with config.json and model.safetensors", out->path_.c_str());
    }
    ASSIGN(out->config_json_, out->side_file("config.json"));

    const std::string index_path = out->path_ + "/model.safetensors.index.json";
    if (!std::filesystem::exists(index_path, ec)) {
        TRY(read_shard(*out, out->path_ + "/model.safetensors"));
        TRY(out->seal());
        return out;
    }
    ASSIGN(const std::string index_text, out->side_file("model.safetensors.index.json"));
    simdjson::dom::parser parser;
    simdjson::dom::object map;
    if (const auto e = parser.allocate(index_text.size(), max_depth)) return json_error(index_path, "the index", e);
    if (const auto e = parser.parse(index_text)["weight_map"].get(map)) return json_error(index_path, "weight_map", e);
    std::set<std::string> shards;
    std::vector<std::pair<std::string, std::string>> promised;
    for (const auto [name, file] : map) {
        std::string_view shard;
        if (file.get(shard) || shard.empty() || shard.find('/') != std::string_view::npos || shard == "..") {
            return fail(Code::bad_file, "%s: tensor '%s' is mapped to something that is not a file name", index_path.c_str(), shown(name).c_str());
        }
        shards.insert(std::string(shard));
        promised.emplace_back(std::string(name), std::string(shard));
    }
    for (const std::string& shard : shards) TRY(read_shard(*out, out->path_ + "/" + shard));
    for (const auto& [name, shard] : promised) {
        const TensorInfo* t = out->find(canonical_from_hf(name));
        if (!t && !is_tower(canonical_from_hf(name))) {
            return fail(Code::bad_file, "%s: tensor '%s' should be in %s, which does not have it", index_path.c_str(), shown(name).c_str(), shown(shard).c_str());
        }
    }
    TRY(out->seal());
    return out;
}

}  // namespace gemma3n::format
