// Material of the 8-bit tests: activations in guarded memory, with nothing readable beyond what the contract promises.
#pragma once

#include "kernels/tables.h"

#include <sys/mman.h>
#include <unistd.h>

namespace gemma3n::kernels::test {

// n values that end where a page ends, behind which reading faults: 64-byte aligned if their size allows it.
template <class T>
class AtPageEnd {
public:
    explicit AtPageEnd(int64_t n) {
        const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), bytes = static_cast<size_t>(n) * sizeof(T);
        size_ = (bytes + page - 1) / page * page + page;
        base_ = static_cast<char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        mprotect(base_ + size_ - page, page, PROT_NONE);
        data_ = reinterpret_cast<T*>(base_ + size_ - page - bytes);
    }
    AtPageEnd(const AtPageEnd&) = delete;
    ~AtPageEnd() { munmap(base_, size_); }
    T* data() const { return data_; }

private:
    char* base_;
    size_t size_;
    T* data_;
};

inline int64_t up_to(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

struct Activations {
    int64_t n, k, q_stride = up_to(k, 64), scale_stride = up_to(k / 32, 16), sum_stride = up_to(k / 16, 32);
    std::vector<float> x;
    AtPageEnd<int8_t> q{n * q_stride};
    AtPageEnd<float> scale{n * scale_stride};
    AtPageEnd<int16_t> sum{n * sum_stride};

    Activations(const Table& t, int64_t rows, int64_t n_values, uint64_t seed) : n(rows), k(n_values), x(normal(rows * n_values, seed)) {
        quantize(t);
    }
    void quantize(const Table& t) {
        for (int64_t i = 0; i < n; i++) {
            t.quantize_q8(x.data() + i * k, k, q.data() + i * q_stride, scale.data() + i * scale_stride, sum.data() + i * sum_stride);
        }
    }
    Q8 q8() const { return q8(0, n); }
    Q8 q8(int64_t first, int64_t rows) const {
        return {q.data() + first * q_stride, scale.data() + first * scale_stride, sum.data() + first * sum_stride, q_stride, scale_stride, sum_stride, rows, k};
    }
    double value(int64_t i, int64_t j) const { return static_cast<double>(q.data()[i * q_stride + j]) * scale.data()[i * scale_stride + j / 32]; }
    void set_scales(float s) {
        for (int64_t i = 0; i < n; i++) std::fill_n(scale.data() + i * scale_stride, k / 32, s);
    }
    void set(int8_t v) {
        for (int64_t i = 0; i < n; i++) {
            std::fill_n(q.data() + i * q_stride, k, v);
            std::fill_n(sum.data() + i * sum_stride, k / 16, static_cast<int16_t>(16 * v));
        }
    }
};

}  // namespace gemma3n::kernels::test
