// A View names values without owning them: buffer + offset + shape + stride. It is not a raw pointer, so that the same
// forward pass can be recorded for another device; on the CPU ptr() resolves it.
//
// Shapes are [rows, cols], row-major, cols contiguous; a vector is one row. A slice of a matrix (MatFormer widths) is a view:
// rows(a, n) for gate/up, first_cols(n) for down.
#pragma once

#include "tensor/dtype.h"

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace gemma3n {

// Memory that somebody else owns and outlives every view of it: a mapped file, an arena, later a device allocation.
struct Buffer {
    std::byte* data = nullptr;
    uint64_t size = 0;
};

struct View {
    const Buffer* buffer = nullptr;
    uint64_t offset = 0;  // bytes from the buffer's start to element [0, 0]
    DType type = DType::f32;
    int64_t n_rows = 0;
    int64_t n_cols = 0;
    uint64_t stride = 0;  // bytes from one row to the next

    explicit operator bool() const { return buffer != nullptr; }

    std::byte* raw(int64_t row = 0) const { return buffer->data + offset + static_cast<uint64_t>(row) * stride; }

    // Typed row. T must be the view's element type; only for plain (not quantised) types.
    template <class T>
    T* ptr(int64_t row = 0) const {
        return reinterpret_cast<T*>(raw(row));
    }
    float* f32(int64_t row = 0) const {
        assert(type == DType::f32);
        return ptr<float>(row);
    }

    View rows(int64_t first, int64_t n) const {
        assert(first >= 0 && n >= 0 && first + n <= n_rows);
        View v = *this;
        v.offset += static_cast<uint64_t>(first) * stride;
        v.n_rows = n;
        return v;
    }
    // The first n columns; n is a multiple of the type's block.
    View first_cols(int64_t n) const {
        assert(n <= n_cols && n % info(type).block == 0);
        View v = *this;
        v.n_cols = n;
        return v;
    }
    // Columns [first, first + n); both multiples of the type's block.
    View cols(int64_t first, int64_t n) const {
        assert(first % info(type).block == 0 && first + n <= n_cols);
        View v = *this;
        v.offset += row_bytes(type, first);
        v.n_cols = n;
        return v;
    }
};

}  // namespace gemma3n
