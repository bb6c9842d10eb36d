// How far the 8-bit products are from what this machine can do. For each table and type: GB/s of weights in a product with one row
// (a matrix that fits no cache, 1 and 2 threads) beside the speed of plain reading, and GOPS of a product with 512 rows. Results are
// compared with the reference before anything is timed. Usage: bench_kernels [table [type]]
#include "base/f16.h"
#include "kernels/table.h"
#include "parallel/pool.h"
#include "tensor/blocks.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

using namespace gemma3n;
using namespace gemma3n::kernels;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Free {
    void operator()(void* p) const { std::free(p); }
};
template <class T>
std::unique_ptr<T[], Free> aligned(uint64_t n) {
    const uint64_t bytes = (n * sizeof(T) + 63) / 64 * 64;
    std::unique_ptr<T[], Free> p(static_cast<T*>(std::aligned_alloc(64, bytes)));
    memset(p.get(), 0, bytes);
    return p;
}

// The best of several runs of f, in seconds.
template <class F>
double best_of(int runs, F&& f) {
    double best = 1e9;
    for (int i = 0; i < runs; i++) {
        const double start = now();
        f();
        best = std::min(best, now() - start);
    }
    return best;
}

// Where a block has its half scales.
std::vector<size_t> halves(DType type) {
    switch (type) {
        case DType::q2_k: return {offsetof(BlockQ2_K, d), offsetof(BlockQ2_K, dmin)};
        case DType::q3_k: return {offsetof(BlockQ3_K, d)};
        case DType::q6_k: return {offsetof(BlockQ6_K, d)};
        case DType::q4_1: case DType::q5_1: case DType::q4_k: case DType::q5_k: return {0, 2};
        default: return {0};
    }
}

struct Matrix {
    std::unique_ptr<std::byte[], Free> bytes;
    Weights w;
    Matrix(DType type, int64_t rows, int64_t k) {
        const uint64_t stride = row_bytes(type, k), size = stride * static_cast<uint64_t>(rows);
        bytes = aligned<std::byte>(size);
        uint64_t random = 88172645463325252ull;
        for (uint64_t i = 0; i + 8 <= size; i += 8) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            memcpy(&bytes[i], &random, 8);
        }
        const uint16_t half = f32_to_f16(0.01f);
        for (uint64_t at = 0; at < size; at += static_cast<uint64_t>(info(type).bytes))
            for (const size_t place : halves(type)) memcpy(&bytes[at + place], &half, 2);
        w = {bytes.get(), stride, type, rows, k};
    }
    uint64_t size() const { return w.stride * static_cast<uint64_t>(w.rows); }
};

struct Activations {
    std::unique_ptr<int8_t[], Free> q;
    std::unique_ptr<float[], Free> scale;
    std::unique_ptr<int16_t[], Free> sum;
    Q8 a;
    Activations(const Table& t, int64_t n, int64_t k) {
        a.n = n, a.k = k, a.q_stride = (k + 63) / 64 * 64, a.scale_stride = (k / 32 + 15) / 16 * 16, a.sum_stride = (k / 16 + 31) / 32 * 32;
        q = aligned<int8_t>(n * a.q_stride), scale = aligned<float>(n * a.scale_stride), sum = aligned<int16_t>(n * a.sum_stride);
        a.q = q.get(), a.scale = scale.get(), a.sum = sum.get();
        std::vector<float> x(k);
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < k; j++) x[j] = std::sin(static_cast<float>(i * 31 + j * 7));
            t.quantize_q8(x.data(), k, a.q + i * a.q_stride, a.scale + i * a.scale_stride, a.sum + i * a.sum_stride);
        }
    }
};

void product(Pool& pool, const Table& t, const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte* scratch) {
    const int type = static_cast<int>(w.type);
    pool.split(w.rows, panel_rows, [&](int64_t b, int64_t e, int worker) {
        if (a.n <= matvec_max_rows) t.matvec_q8[type](w.from(b, e - b), a, y + b, ldy);
        else t.matmul_q8[type](w.from(b, e - b), a, y + b, ldy, scratch + matmul_scratch_bytes(w.k) * worker);
    });
}

bool correct(Pool& pool, const Table& t, DType type, int64_t n) {
    const Matrix m(type, 50, 2048);
    const Activations x(t, n, 2048);
    auto scratch = aligned<std::byte>(matmul_scratch_bytes(2048) * pool.n_threads());
    std::vector<float> got(n * 50), want(n * 50);
    product(pool, t, m.w, x.a, got.data(), 50, scratch.get());
    reference().matvec_q8[static_cast<int>(type)](m.w, x.a, want.data(), 50);
    double largest = 0, difference = 0;
    for (size_t i = 0; i < want.size(); i++) {
        largest = std::max<double>(largest, std::fabs(want[i]));
        difference = std::max<double>(difference, std::fabs(want[i] - got[i]));
    }
    return difference <= 1e-5 * largest;
}

// Plain reading of a buffer, 8 values of 64 bytes in flight: the roof of every product with few rows.
uint64_t read_all(const std::byte* p, uint64_t size) {
    typedef uint64_t v8 __attribute__((vector_size(64)));
    v8 sum[8] = {};
    for (uint64_t i = 0; i + 512 <= size; i += 512) {
        for (int j = 0; j < 8; j++) {
            v8 v;
            memcpy(&v, p + i + 64 * j, 64);
            sum[j] ^= v;
        }
    }
    uint64_t total = 0;
    for (const v8& s : sum)
        for (int j = 0; j < 8; j++) total ^= s[j];
    return total;
}

double read_speed(Pool& pool, const Matrix& m) {
    std::vector<uint64_t> sinks(64);
    const double seconds = best_of(9, [&] {
        pool.split(static_cast<int64_t>(m.size()), 4096, [&](int64_t b, int64_t e, int w) { sinks[w] = read_all(m.bytes.get() + b, static_cast<uint64_t>(e - b)); });
    });
    volatile uint64_t sink = sinks[0];
    (void)sink;
    return static_cast<double>(m.size()) / seconds / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
    const Table* only = argc > 1 ? choose(argv[1]) : nullptr;
    if (argc > 1 && !only) {
        fprintf(stderr, "kernels '%s' are not in this program or cannot run on this CPU\n", argv[1]);
        return 2;
    }
    Pool one(1), two(2);
    PoolAwake awake(two);
    const int64_t rows = 131072, k = 2048, batch_rows = 4096, batch = 512;
    printf("%-11s %-6s | GB/s, 1 row, 1 thread (read)   2 threads (read) | GOPS, %d rows, 1 thread  2 threads | GOPS, 16 rows, 2 threads\n", "table",
           "type", static_cast<int>(batch));
    for (const Entry& e : all()) {
        if (!e.supported) {
            printf("%-11s skipped: this CPU cannot run it\n", e.table->name);
            continue;
        }
        const Table& t = *e.table;
        if ((only && only != &t) || (!only && &t == &reference())) continue;
        for (DType type : {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q8_0, DType::q2_k, DType::q3_k, DType::q4_k, DType::q5_k, DType::q6_k,
                           DType::iq4_nl, DType::iq4_xs}) {
            if (argc > 2 && info(type).name != argv[2]) continue;
            if (!correct(two, t, type, 1) || !correct(two, t, type, 16) || !correct(two, t, type, batch)) {
                fprintf(stderr, "%s %s: results differ from the reference\n", t.name, info(type).name.data());
                return 1;
            }
            const Matrix m(type, rows, k);
            const Activations x(t, 1, k), few(t, 16, k), many(t, batch, k);
            std::vector<float> y(std::max(16 * rows, batch * batch_rows));
            auto scratch = aligned<std::byte>(2 * matmul_scratch_bytes(k));
            double gbs[2], read[2], gops[2], gops16 = 0;
            for (int p = 0; p < 2; p++) {
                Pool& pool = p ? two : one;
                read[p] = read_speed(pool, m);
                gbs[p] = static_cast<double>(m.size()) / best_of(9, [&] { product(pool, t, m.w, x.a, y.data(), rows, scratch.get()); }) / 1e9;
                const Weights part = m.w.from(0, batch_rows);
                gops[p] = 2.0 * batch_rows * k * batch / best_of(5, [&] { product(pool, t, part, many.a, y.data(), batch_rows, scratch.get()); }) / 1e9;
                gops16 = 2.0 * rows * k * 16 / best_of(3, [&] { product(pool, t, m.w, few.a, y.data(), rows, scratch.get()); }) / 1e9;
            }
            printf("%-11s %-6s | %26.1f (%4.1f) %16.1f (%4.1f) | %23.0f %10.0f | %15.0f\n", t.name, info(type).name.data(), gbs[0], read[0], gbs[1], read[1],
                   gops[0], gops[1], gops16);
            fflush(stdout);
        }
    }
    return 0;
}
