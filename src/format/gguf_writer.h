// Writes one GGUF v3 file: set the metadata, declare every tensor, open (header and room for all data), write each tensor's data at
// its offset in any order and from any thread, close. Metadata keeps the width it is given: set("k", uint32_t{1}) is a u32.
#pragma once

#include "base/output_file.h"
#include "tensor/dtype.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gemma3n::format {

// Numbers of the value types, as the format has them.
enum class GgufValue : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

template <class T>
constexpr GgufValue gguf_value_type() {
    if constexpr (std::is_same_v<T, bool>) return GgufValue::boolean;
    else if constexpr (std::is_same_v<T, float>) return GgufValue::f32;
    else if constexpr (std::is_same_v<T, double>) return GgufValue::f64;
    else if constexpr (std::is_convertible_v<T, std::string_view>) return GgufValue::string;
    else {
        static_assert(std::is_integral_v<T>, "GGUF holds numbers, booleans and strings");
        constexpr bool s = std::is_signed_v<T>;
        if constexpr (sizeof(T) == 1) return s ? GgufValue::i8 : GgufValue::u8;
        else if constexpr (sizeof(T) == 2) return s ? GgufValue::i16 : GgufValue::u16;
        else if constexpr (sizeof(T) == 4) return s ? GgufValue::i32 : GgufValue::u32;
        else return s ? GgufValue::i64 : GgufValue::u64;
    }
}

class GgufWriter {
public:
    // A number, a boolean or a string. A key is set once.
    template <class T>
    void set(std::string_view key, const T& value) {
        begin_key(key, gguf_value_type<T>());
        put_value(value);
    }
    template <class T>
    void set(std::string_view key, const std::vector<T>& values) {
        begin_key(key, GgufValue::array);
        put(static_cast<uint32_t>(gguf_value_type<T>()));
        put(static_cast<uint64_t>(values.size()));
        for (const auto& v : values) put_value(static_cast<const T&>(v));
    }
    // A value as another file has it: the number of its type and its bytes.
    void set_raw(std::string_view key, uint32_t type, std::string_view bytes) {
        begin_key(key, static_cast<GgufValue>(type));
        put_bytes(bytes.data(), bytes.size());
    }

    // Shape outermost first, as in the checkpoint ([rows, cols]); the file gets it innermost first. Returns the tensor's index.
    size_t declare(const std::string& name, DType type, const std::vector<int64_t>& shape);

    // Refuses rows that are no multiple of the type's block, and tensors or keys given twice. A full disk is found here.
    Status open(const std::string& path);

    uint64_t offset(size_t index) const { return data_begin_ + tensors_[index].offset; }  // in the file; after open
    uint64_t bytes(size_t index) const { return tensors_[index].bytes; }
    uint64_t data_bytes() const { return data_bytes_; }
    OutputFile& file() { return file_; }
    Status close() { return file_.close(); }

    static constexpr uint64_t alignment = 32;

private:
    struct Tensor {
        std::string name;
        DType type;
        std::vector<int64_t> shape;
        uint64_t offset, bytes;  // relative to the data
    };
    void begin_key(std::string_view key, GgufValue type);
    void put_bytes(const void* p, size_t n) { keys_.append(static_cast<const char*>(p), n); }
    template <class T>
    void put(T v) {
        put_bytes(&v, sizeof v);
    }
    void put_string(std::string_view s) {
        put(static_cast<uint64_t>(s.size()));
        put_bytes(s.data(), s.size());
    }
    template <class T>
    void put_value(const T& v) {
        if constexpr (gguf_value_type<T>() == GgufValue::string) put_string(v);
        else if constexpr (std::is_same_v<T, bool>) put(static_cast<uint8_t>(v));
        else put(v);
    }

    std::string keys_;  // the metadata as it will lie in the file
    std::vector<std::string> key_names_;
    std::vector<Tensor> tensors_;
    uint64_t data_bytes_ = 0, data_begin_ = 0;
    OutputFile file_;
};

}  // namespace gemma3n::format
