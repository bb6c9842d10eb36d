// Builds GGUF files in memory, good ones and every kind of bad one: nothing is checked, every field can be overruled.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace gemma3n::test {

// Value types of GGUF metadata.
enum GgufType : uint32_t { g_u8, g_i8, g_u16, g_i16, g_u32, g_i32, g_f32, g_bool, g_string, g_array, g_u64, g_i64, g_f64 };

template <class T>
std::string bytes_of(T v) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::string s(sizeof v, '\0');
    memcpy(s.data(), &v, sizeof v);
    return s;
}
inline std::string gguf_string(const std::string& s) { return bytes_of<uint64_t>(s.size()) + s; }

struct GgufBuilder {
    uint32_t magic = 0x46554747, version = 3;
    uint64_t alignment = 32;  // of the layout; write the key general.alignment too when it is another

    GgufBuilder& raw(const std::string& key, uint32_t type, const std::string& value) {
        keys_ += gguf_string(key) + bytes_of(type) + value;
        n_keys++;
        return *this;
    }
    template <class T>
    GgufBuilder& number(const std::string& key, GgufType type, T v) {
        return raw(key, type, bytes_of(v));
    }
    GgufBuilder& u32(const std::string& key, uint32_t v) { return number(key, g_u32, v); }
    GgufBuilder& f32(const std::string& key, float v) { return number(key, g_f32, v); }
    GgufBuilder& string(const std::string& key, const std::string& v) { return raw(key, g_string, gguf_string(v)); }
    template <class T>
    GgufBuilder& numbers(const std::string& key, GgufType type, const std::vector<T>& v) {
        std::string s = bytes_of<uint32_t>(type) + bytes_of<uint64_t>(v.size());
        for (const T x : v) s += bytes_of(x);
        return raw(key, g_array, s);
    }
    GgufBuilder& strings(const std::string& key, const std::vector<std::string>& v) {
        std::string s = bytes_of<uint32_t>(g_string) + bytes_of<uint64_t>(v.size());
        for (const std::string& x : v) s += gguf_string(x);
        return raw(key, g_array, s);
    }

    // dims as GGUF has them: the contiguous one first.
    GgufBuilder& tensor(const std::string& name, const std::vector<uint64_t>& dims, uint32_t ggml, const std::string& data) {
        data_.resize((data_.size() + alignment - 1) / alignment * alignment, '\0');
        tensor_at(name, dims, ggml, data_.size());
        data_ += data;
        return *this;
    }
    GgufBuilder& tensor_at(const std::string& name, const std::vector<uint64_t>& dims, uint32_t ggml, uint64_t offset) {
        infos_ += gguf_string(name) + bytes_of<uint32_t>(static_cast<uint32_t>(dims.size()));
        for (const uint64_t d : dims) infos_ += bytes_of(d);
        infos_ += bytes_of(ggml) + bytes_of(offset);
        n_tensors++;
        return *this;
    }

    std::string build() const {
        std::string s = bytes_of(magic) + bytes_of(version) + bytes_of(n_tensors) + bytes_of(n_keys) + keys_ + infos_;
        if (!data_.empty()) s.resize((s.size() + alignment - 1) / alignment * alignment, '\0');
        return s + data_;
    }

    uint64_t n_tensors = 0, n_keys = 0;  // what the header announces

private:
    std::string keys_, infos_, data_;
};

}  // namespace gemma3n::test
