// The table of kernels: what an instruction set supplies. kernels/ is the only room with intrinsics.
//
// Every function exists as the plain reference (reference/, the oracle that stays for ever) and, per instruction set, as a fast
// twin. Integer sums are equal on all of them; float results agree to rounding.
//
// Rules every implementation keeps:
//  - any size works: n, k, rows need not divide by a vector width (k of a quantised type is a multiple of its block);
//  - *batch invariance*: in matvec_* and attention, the result for one activation row / query is the same bit for bit however many
//    rows ride along (1..matvec_max_rows), whatever range of weight rows the call covers; in matmul_* likewise, for any number of rows;
//  - no kernel allocates, prints or fails.
#pragma once

#include "tensor/dtype.h"

#include <cstddef>
#include <cstdint>

namespace gemma3n::kernels {

inline constexpr int q8_block = 32;          // values that share a scale in an 8-bit activation row
inline constexpr int matvec_max_rows = 16;   // rows of a small step: the batch-invariant path
inline constexpr int panel_rows = 16;        // weight rows unpacked together by the large matrix product

inline constexpr float q8_dust = 1e-36f;     // a block of activations no larger than this has zeros as q: 127 / max would be infinite

// Activations quantised to 8 bit, [n, k] with k a multiple of 32: a = scale[b] * q, b = index / 32, scale = max|a| / 127. A block
// that holds an infinity or a NaN has that as its scale and zeros as q, so that every product with it is a NaN.
// Rows are `*_stride` elements apart; q rows are 64-byte aligned and readable (zero) up to k rounded up to 64.
struct Q8 {
    int8_t* q = nullptr;        // [n, k]
    float* scale = nullptr;     // [n, k / 32], readable (zero) up to a multiple of 16 entries
    int16_t* sum = nullptr;     // [n, k / 16] sums of 16 consecutive q, for types with an offset; readable up to a multiple of 32
    int64_t q_stride = 0, scale_stride = 0, sum_stride = 0;
    int64_t n = 0, k = 0;
};

// A matrix of weights as it lies in the file: row r starts at data + r * stride.
struct Weights {
    const std::byte* data = nullptr;
    uint64_t stride = 0;
    DType type = DType::f32;
    int64_t rows = 0, k = 0;
    Weights from(int64_t first, int64_t n) const { return {data + static_cast<uint64_t>(first) * stride, stride, type, n, k}; }
};

// One output row of a convolution of each channel with its own kernel; channels last.
struct DepthwiseRow {
    int64_t channels, inputs, outputs;  // inputs and outputs: pixels of a row
    int kernel, stride;
    int64_t before;  // output x reads pixels x * stride - before + kx; those outside the row are zero
};

struct Table {
    const char* name;  // "reference", "avx2", "avx512vnni", "neon", "neon-dotprod", "neon-i8mm"

    // ---- 8-bit path ------------------------------------------------------------------------------------------------
    // One row: x [k] -> q, scale, sum (padding up to the promised readable size is written as zero).
    void (*quantize_q8)(const float* x, int64_t k, int8_t* q, float* scale, int16_t* sum);

    // y[i * ldy + r] = W[r] . a[i], r < w.rows, i < a.n <= matvec_max_rows. By weight type; null for plain types.
    void (*matvec_q8[n_dtypes])(const Weights& w, const Q8& a, float* y, int64_t ldy);

    // The same for any a.n (used above matvec_max_rows): weights are unpacked panel by panel into `scratch`, once for all rows.
    // Per element equal to matvec_q8 up to rounding. scratch: matmul_scratch_bytes(k) bytes, 64-byte aligned.
    void (*matmul_q8[n_dtypes])(const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte* scratch);

    // ---- exact path: f32 activations, weights of any type (never an f32 copy of a matrix: one panel of rows at a time) ----
    // y[i * ldy + r] = W[r] . x[i * ldx ..], i < n <= matvec_max_rows. scratch as below.
    void (*matvec_f32)(const Weights& w, const float* x, int64_t ldx, int64_t n, float* y, int64_t ldy, std::byte* scratch);
    // The same for any n.
    void (*matmul_f32)(const Weights& w, const float* x, int64_t ldx, int64_t n, float* y, int64_t ldy, std::byte* scratch);

    // De-quantises n values (a multiple of the block) of one row to f32. Any type.
    void (*to_f32[n_dtypes])(const std::byte* src, int64_t n, float* dst);
    void (*f32_to_f16)(const float* src, int64_t n, uint16_t* dst);  // round to nearest even

    // ---- vectors ---------------------------------------------------------------------------------------------------
    // y = x / sqrt(mean(x^2) + eps) * w; w may be null (weightless). y may be x.
    void (*rms_norm)(const float* x, const float* w, int64_t n, float eps, float* y);
    float (*sum_squares)(const float* x, int64_t n);
    void (*mean_deviation)(const float* x, int64_t n, float* mean, float* deviation);  // population form
    void (*relu_shift)(float* x, int64_t n, float cutoff);                             // x = max(x - cutoff, 0)
    void (*gelu_mul)(const float* gate, const float* up, int64_t n, float* y);         // y = gelu_tanh(gate) * up; y may be gate
    void (*gelu)(float* x, int64_t n);                                                 // x = gelu_tanh(x)
    void (*silu)(float* x, int64_t n);                                                 // x = x * sigmoid(x)
    void (*glu)(const float* x, const float* gate, int64_t n, float* y);               // y = x * sigmoid(gate); y may be x
    void (*softcap)(float* x, int64_t n, float cap);                                   // x = cap * tanh(x / cap)
    void (*add)(float* x, const float* y, int64_t n);                                  // x += y
    void (*scale)(float* x, int64_t n, float s);                                       // x *= s
    void (*multiply)(const float* x, const float* y, int64_t n, float* z);             // z = x * y
    void (*add_scaled)(float* x, const float* y, int64_t n, float s);                  // x += s * y
    void (*sum_scaled)(const float* x, const float* y, int64_t n, float s, float* z);  // z = (x + y) * s
    // z[j] = x[own][j] + sum_i c[i] * x[i][j]: one output stream of AltUp's prediction. x[i] = base + i * x_stride floats.
    void (*mix)(const float* base, int64_t x_stride, int n_streams, int own, const float* c, int64_t n, float* z);
    // Half-split rotation in place: pairs (x[i], x[i + half]), angles by cos/sin [half].
    void (*rope)(float* x, const float* cosines, const float* sines, int64_t half);

    // ---- attention over one page of keys or values; type f32, f16 or q8_0 (head_dim and ldk, ldv multiples of 32); ld* in elements ----
    // s[i * lds + j] = q_i . k_j, i < nq, j < nk
    void (*scores)(const float* q, int64_t ldq, int nq, const std::byte* k, DType type, int64_t ldk, int nk, int64_t head_dim,
                   float* s, int64_t lds);
    // o_i += sum_j p[i * ldp + j] * v_j, j ascending
    void (*values)(const float* p, int64_t ldp, int nq, const std::byte* v, DType type, int64_t ldv, int nk, int64_t head_dim,
                   float* o, int64_t ldo);
    // In place softmax over n scores (max, exp, sum, divide).
    void (*softmax)(float* s, int64_t n);

    // ---- maps of features --------------------------------------------------------------------------------------------
    // y[x][c] = sum over ky, kx of w[ky * kernel + kx][c] * rows[ky][x * stride - before + kx][c]. rows [kernel] of [inputs, channels];
    // null is a row of zeros. w [kernel * kernel, channels], y [outputs, channels].
    void (*depthwise)(const DepthwiseRow& shape, const float* const* rows, const float* w, float* y);
};

// Scratch of the large products for rows of k values: of those in f32, whatever k is, and of those in 8 bit.
inline constexpr uint64_t matmul_f32_scratch_bytes = 856 << 10;
constexpr uint64_t matmul_scratch_bytes(int64_t k) {
    const uint64_t kp = (static_cast<uint64_t>(k) + 255) / 256 * 256, q8 = panel_rows * (kp * 4 + kp / 16 * 8) + 16384;
    return q8 > matmul_f32_scratch_bytes ? q8 : matmul_f32_scratch_bytes;
}

const Table& reference();  // plain truth; always there

// All tables compiled into this program, best last, with whether this CPU can run each.
struct Entry {
    const Table* table;
    bool supported;
};
struct Entries {
    const Entry* begin_;
    const Entry* end_;
    const Entry* begin() const { return begin_; }
    const Entry* end() const { return end_; }
};
Entries all();

// The best table that this CPU runs, or the one forced by name. Null if the name is unknown or the CPU lacks it.
const Table* choose(const char* name_or_null = nullptr);

}  // namespace gemma3n::kernels
