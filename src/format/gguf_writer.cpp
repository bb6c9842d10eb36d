#include "format/gguf_writer.h"

#include <set>

namespace gemma3n::format {

namespace {

constexpr uint64_t aligned(uint64_t n) { return (n + GgufWriter::alignment - 1) / GgufWriter::alignment * GgufWriter::alignment; }

}  // namespace

void GgufWriter::begin_key(std::string_view key, GgufValue type) {
    key_names_.emplace_back(key);
    put_string(key);
    put(static_cast<uint32_t>(type));
}

size_t GgufWriter::declare(const std::string& name, DType type, const std::vector<int64_t>& shape) {
    uint64_t rows = 1;
    for (size_t i = 0; i + 1 < shape.size(); i++) rows *= static_cast<uint64_t>(shape[i]);
    const uint64_t bytes = rows * row_bytes(type, shape.empty() ? 0 : shape.back());
    tensors_.push_back({name, type, shape, data_bytes_, bytes});
    data_bytes_ = aligned(data_bytes_ + bytes);
    return tensors_.size() - 1;
}

Status GgufWriter::open(const std::string& path) {
    std::set<std::string_view> seen;
    for (const std::string& key : key_names_) {
        if (!seen.insert(key).second) return fail(Code::bad_argument, "%s: metadata key '%s' is given twice", path.c_str(), key.c_str());
    }
    seen.clear();
    for (const Tensor& t : tensors_) {
        if (!seen.insert(t.name).second) return fail(Code::bad_argument, "%s: tensor '%s' is given twice", path.c_str(), t.name.c_str());
        if (t.shape.empty() || t.shape.size() > 4) {
            return fail(Code::bad_argument, "%s: tensor '%s' has %zu dimensions: expected 1 to 4", path.c_str(), t.name.c_str(), t.shape.size());
        }
        if (t.shape.back() % info(t.type).block != 0) {
            return fail(Code::bad_argument, "%s: tensor '%s' has rows of %lld values: type %s expects a multiple of %d", path.c_str(), t.name.c_str(),
                        static_cast<long long>(t.shape.back()), info(t.type).name.data(), info(t.type).block);
        }
    }
    const uint64_t n_keys = key_names_.size();
    std::string metadata;
    metadata.swap(keys_);  // from here on keys_ takes the rest of the header
    put_bytes("GGUF", 4);
    put(uint32_t{3});
    put(static_cast<uint64_t>(tensors_.size()));
    put(n_keys);
    keys_ += metadata;
    for (const Tensor& t : tensors_) {
        put_string(t.name);
        put(static_cast<uint32_t>(t.shape.size()));
        for (size_t i = t.shape.size(); i-- > 0;) put(static_cast<uint64_t>(t.shape[i]));
        put(static_cast<uint32_t>(info(t.type).ggml));
        put(t.offset);
    }
    data_begin_ = aligned(keys_.size());
    keys_.resize(data_begin_, '\0');
    TRY(file_.open(path));
    TRY(file_.reserve(data_begin_ + data_bytes_));
    TRY(file_.write(keys_.data(), keys_.size()));
    keys_.clear();
    return {};
}

}  // namespace gemma3n::format
