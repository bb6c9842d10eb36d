#include "format/gguf.h"

#include "format/names.h"
#include "format/projector.h"
#include "format/tower_names.h"

#include <cstring>

namespace gemma3n::format {

namespace {

enum ValueType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

constexpr uint64_t max_dims = 4;
constexpr int64_t max_stack = 64;  // matrices of a stacked tensor; each becomes a tensor of its own

// Walks the header. Every read is checked against the file; the first one that does not fit makes the cursor bad.
class Cursor {
public:
    explicit Cursor(const File& f) : file_(f) {}

    template <class T>
    bool get(T& out) {
        if (sizeof(T) > left()) return ok_ = false;
        memcpy(&out, file_.data() + at_, sizeof(T));
        at_ += sizeof(T);
        return true;
    }
    bool get_string(std::string_view& out) {
        uint64_t n;
        if (!get(n) || n > left()) return ok_ = false;
        out = {reinterpret_cast<const char*>(file_.data() + at_), static_cast<size_t>(n)};
        at_ += n;
        return true;
    }
    uint64_t at() const { return at_; }
    uint64_t left() const { return file_.size() - at_; }
    bool ok() const { return ok_; }

private:
    const File& file_;
    uint64_t at_ = 0;
    bool ok_ = true;
};

int value_bytes(uint32_t type) {
    switch (type) {
        case u8: case i8: case boolean: return 1;
        case u16: case i16: return 2;
        case u32: case i32: case f32: return 4;
        case u64: case i64: case f64: return 8;
        case string: return 8;  // at least: its length
        default: return 0;
    }
}

template <class T, class To>
bool read_as(Cursor& c, To& out) {
    T v;
    if (!c.get(v)) return false;
    out = static_cast<To>(v);
    return true;
}

bool read_integer(Cursor& c, uint32_t type, int64_t& out) {
    switch (type) {
        case u8: return read_as<uint8_t>(c, out);
        case i8: return read_as<int8_t>(c, out);
        case u16: return read_as<uint16_t>(c, out);
        case i16: return read_as<int16_t>(c, out);
        case u32: return read_as<uint32_t>(c, out);
        case i32: return read_as<int32_t>(c, out);
        case u64: return read_as<uint64_t>(c, out);
        case i64: return read_as<int64_t>(c, out);
        case boolean: {
            uint8_t b = 0;
            if (!c.get(b)) return false;
            out = b != 0;
            return true;
        }
        default: return false;
    }
}

bool read_real(Cursor& c, uint32_t type, double& out) { return type == f32 ? read_as<float>(c, out) : read_as<double>(c, out); }

bool is_real(uint32_t type) { return type == f32 || type == f64; }

// One metadata value; an Error names the key.
Result<MetaValue> read_value(Cursor& c, uint32_t type, const std::string& subject) {
    const auto broken = [&] { return fail(Code::bad_file, "%s: the file ends inside the value", subject.c_str()); };
    if (type == string) {
        std::string_view s;
        if (!c.get_string(s)) return broken();
        return MetaValue(std::string(s));
    }
    if (type == boolean) {
        uint8_t b;
        if (!c.get(b)) return broken();
        return MetaValue(b != 0);
    }
    if (is_real(type)) {
        double d;
        if (!read_real(c, type, d)) return broken();
        return MetaValue(d);
    }
    if (type != array) {
        if (value_bytes(type) == 0) return fail(Code::bad_file, "%s: value type %u is not a GGUF type", subject.c_str(), type);
        int64_t i;
        if (!read_integer(c, type, i)) return broken();
        return MetaValue(i);
    }
    uint32_t element;
    uint64_t n;
    if (!c.get(element) || !c.get(n)) return broken();
    if (value_bytes(element) == 0) {
        return fail(Code::bad_file, "%s: an array of type %u: expected numbers, booleans or strings", subject.c_str(), element);
    }
    if (n > c.left() / static_cast<uint64_t>(value_bytes(element))) {
        return fail(Code::bad_file, "%s: an array of %llu values: the file has only %llu bytes left", subject.c_str(),
                    static_cast<unsigned long long>(n), static_cast<unsigned long long>(c.left()));
    }
    if (element == string) {
        std::vector<std::string_view> v(n);
        for (auto& s : v)
            if (!c.get_string(s)) return broken();
        return MetaValue(std::move(v));
    }
    if (is_real(element)) {
        std::vector<double> v(n);
        for (auto& d : v)
            if (!read_real(c, element, d)) return broken();
        return MetaValue(std::move(v));
    }
    std::vector<int64_t> v(n);
    for (auto& i : v)
        if (!read_integer(c, element, i)) return broken();
    return MetaValue(std::move(v));
}

const char* known_type_name(uint32_t ggml) {  // types that exist but are not supported, for the sentence
    switch (ggml) {
        case 9: return "q8_1";
        case 15: return "q8_k";
        case 16: return "iq2_xxs";
        case 17: return "iq2_xs";
        case 18: return "iq3_xxs";
        case 19: return "iq1_s";
        case 21: return "iq3_s";
        case 22: return "iq2_s";
        case 29: return "iq1_m";
        case 34: return "tq1_0";
        case 35: return "tq2_0";
        case 39: return "mxfp4";
        default: return nullptr;
    }
}

Result<DType> dtype_of(uint32_t ggml, const std::string& subject) {
    for (int t = 0; t < n_dtypes; t++)
        if (static_cast<uint32_t>(dtype_infos[t].ggml) == ggml) return static_cast<DType>(t);
    if (const char* name = known_type_name(ggml)) return fail(Code::unsupported, "%s has type %s, which is not supported", subject.c_str(), name);
    return fail(Code::bad_file, "%s has type number %u, which is not a known GGUF type", subject.c_str(), ggml);
}

}  // namespace

Result<std::shared_ptr<Checkpoint>> GgufReader::read(std::shared_ptr<File> file) {
    const std::string& path = file->path();
    Cursor c(*file);
    uint32_t magic = 0, version = 0;
    uint64_t n_tensors = 0, n_keys = 0;
    c.get(magic), c.get(version), c.get(n_tensors), c.get(n_keys);
    if (!c.ok() || magic != 0x46554747) return fail(Code::bad_file, "%s: is not a GGUF file: it does not begin with a GGUF header", path.c_str());
    if (version != 2 && version != 3) {
        return fail(Code::bad_file, "%s: GGUF version %u: expected 2 or 3%s", path.c_str(), version, version > 0xFFFF ? " (a big-endian file?)" : "");
    }
    auto out = std::make_shared<Checkpoint>();
    out->container_ = Container::gguf;
    out->path_ = path;

    for (uint64_t i = 0; i < n_keys; i++) {
        std::string_view key;
        uint32_t type;
        if (!c.get_string(key) || !c.get(type)) {
            return fail(Code::bad_file, "%s: the file ends inside metadata key %llu of %llu", path.c_str(), static_cast<unsigned long long>(i),
                        static_cast<unsigned long long>(n_keys));
        }
        const uint64_t begin = c.at();
        ASSIGN(MetaValue value, read_value(c, type, path + ": metadata key '" + shown(key) + "'"));
        out->raw_metadata_.push_back({key, type, {reinterpret_cast<const char*>(file->data()) + begin, static_cast<size_t>(c.at() - begin)}});
        if (!out->metadata_.emplace(std::string(key), std::move(value)).second) {
            return fail(Code::bad_file, "%s: metadata key '%s' appears twice", path.c_str(), shown(key).c_str());
        }
    }
    const auto number = [&](const char* key) -> int64_t {
        const auto it = out->metadata_.find(key);
        const int64_t* v = it == out->metadata_.end() ? nullptr : std::get_if<int64_t>(&it->second);
        return v ? *v : -1;
    };
    if (number("split.count") > 1) {
        return fail(Code::unsupported, "%s: is one of %lld parts of a split GGUF: expected a single file (join them with llama-gguf-split --merge)",
                    path.c_str(), static_cast<long long>(number("split.count")));
    }
    int64_t alignment = number("general.alignment");
    if (alignment == -1) alignment = 32;
    if (alignment < 8 || alignment > (1 << 20) || (alignment & (alignment - 1)) != 0) {
        return fail(Code::bad_file, "%s: general.alignment is %lld: expected a power of two from 8 to 1048576", path.c_str(), static_cast<long long>(alignment));
    }

    constexpr uint64_t min_info_bytes = 8 + 4 + 8 + 4 + 8;
    if (n_tensors > c.left() / min_info_bytes) {
        return fail(Code::bad_file, "%s: %llu tensors are announced: the file has only %llu bytes left", path.c_str(),
                    static_cast<unsigned long long>(n_tensors), static_cast<unsigned long long>(c.left()));
    }
    std::vector<TensorInfo> infos;
    const auto canonical = is_projector(*out) ? canonical_from_projector : canonical_from_gguf;
    for (uint64_t i = 0; i < n_tensors; i++) {
        std::string_view name;
        uint32_t n_dims = 0, type = 0;
        if (!c.get_string(name) || !c.get(n_dims)) {
            return fail(Code::bad_file, "%s: the file ends inside the header of tensor %llu of %llu", path.c_str(), static_cast<unsigned long long>(i),
                        static_cast<unsigned long long>(n_tensors));
        }
        const std::string subject = path + ": tensor '" + shown(name) + "'";
        if (n_dims == 0 || n_dims > max_dims) return fail(Code::bad_file, "%s has %u dimensions: expected 1 to 4", subject.c_str(), n_dims);
        TensorInfo t;
        t.stored_name = std::string(name);
        t.name = canonical(name).value_or(t.stored_name);
        uint64_t n_values = 1;
        for (uint32_t d = 0; d < n_dims; d++) {
            uint64_t ne = 0;
            if (!c.get(ne)) return fail(Code::bad_file, "%s: the file ends inside its header", subject.c_str());
            if (ne == 0 || ne > (1ull << 40) || n_values > (1ull << 48) / ne) {
                return fail(Code::bad_file, "%s has a dimension of %llu: expected a size that a file can hold", subject.c_str(), static_cast<unsigned long long>(ne));
            }
            n_values *= ne;
            t.shape.insert(t.shape.begin(), static_cast<int64_t>(ne));
        }
        if (!c.get(type) || !c.get(t.offset)) return fail(Code::bad_file, "%s: the file ends inside its header", subject.c_str());
        ASSIGN(t.type, dtype_of(type, subject));
        t.cols = t.shape.back();
        t.rows = static_cast<int64_t>(n_values) / t.cols;
        if (t.cols % info(t.type).block != 0) {
            return fail(Code::bad_file, "%s has rows of %lld values: type %s expects a multiple of %d", subject.c_str(), static_cast<long long>(t.cols),
                        std::string(info(t.type).name).c_str(), info(t.type).block);
        }
        t.bytes = row_bytes(t.type, t.cols) * static_cast<uint64_t>(t.rows);
        infos.push_back(std::move(t));
    }
    const uint64_t data = (c.at() + static_cast<uint64_t>(alignment) - 1) / static_cast<uint64_t>(alignment) * static_cast<uint64_t>(alignment);
    const uint64_t room = data < file->size() ? file->size() - data : 0;
    for (TensorInfo& t : infos) {
        if (t.offset % static_cast<uint64_t>(alignment) != 0) {
            return fail(Code::bad_file, "%s: tensor '%s' begins at offset %llu: expected a multiple of %lld", path.c_str(), shown(t.stored_name).c_str(),
                        static_cast<unsigned long long>(t.offset), static_cast<long long>(alignment));
        }
        if (t.offset > room || t.bytes > room - t.offset) {
            return fail(Code::bad_file, "%s: tensor '%s' needs %llu bytes at offset %llu: the file has %llu bytes of tensor data (truncated?)", path.c_str(),
                        shown(t.stored_name).c_str(), static_cast<unsigned long long>(t.bytes), static_cast<unsigned long long>(t.offset),
                        static_cast<unsigned long long>(room));
        }
        t.offset += data;
    }
    out->files_.push_back(std::move(file));
    for (TensorInfo& t : infos) {
        // a stack of matrices becomes its members: altup_projections.weight [A - 1, D, D] -> altup_projections.0.weight ...
        const bool stacked = t.shape.size() == 3 && (t.name == "altup_projections.weight" || t.name == "altup_unembed_projections.weight");
        if (!stacked) {
            TRY(out->add(std::move(t)));
            continue;
        }
        if (t.shape[0] > max_stack) {
            return fail(Code::bad_file, "%s: tensor '%s' is a stack of %lld matrices: expected %lld at most", path.c_str(), shown(t.stored_name).c_str(),
                        static_cast<long long>(t.shape[0]), static_cast<long long>(max_stack));
        }
        const std::string base = t.name.substr(0, t.name.size() - strlen("weight"));
        for (int64_t m = 0; m < t.shape[0]; m++) {
            TensorInfo part = t;
            part.name = base + std::to_string(m) + ".weight";
            part.shape = {t.shape[1], t.shape[2]};
            part.rows = t.shape[1];
            part.bytes = t.bytes / static_cast<uint64_t>(t.shape[0]);
            part.offset = t.offset + part.bytes * static_cast<uint64_t>(m);
            TRY(out->add(std::move(part)));
        }
    }
    TRY(out->seal());
    return out;
}

}  // namespace gemma3n::format
