// The loops around the 8-bit products, included into the namespace of a set's *_q8.cpp. The set supplies vf and hsum(vf), for each
// type a struct T (T::type, T::group values that are handled together in T::group_bytes of weights), and the four functions
// declared below. Every product sees the same steps in the same order in whatever tile it is computed: the batch invariance.

struct Rows {  // activations from some row and some value on
    const int8_t* q;
    const float* scale;
    const int16_t* sum;
    int64_t q_stride, scale_stride, sum_stride;
};

// The share of one group of values in R x N products; n_values <= T::group of them are there.
template <class T, int R, int N>
void step(const std::byte* w, uint64_t stride, const Rows& a, int64_t n_values, vf (&acc)[R][N]);

// Up to panel_rows rows of w in the set's own layout; rows that are not there may hold anything.
template <class T>
void pack_panel(const Weights& w, std::byte* panel);

// P panels, one behind the other, times N activation rows: m <= P * panel_rows results each.
template <class T, int P, int N>
void panel_tile(const std::byte* panel, int64_t k, const Rows& a, float* y, int64_t ldy, int64_t m);

// Bytes of a panel of rows of k values.
template <class T>
uint64_t panel_bytes(int64_t k);

inline Rows rows_from(const Q8& a, int64_t first) {
    return {a.q + first * a.q_stride, a.scale + first * a.scale_stride, a.sum + first * a.sum_stride, a.q_stride, a.scale_stride, a.sum_stride};
}

// Values at.. of all rows; `at` is a multiple of 256, so the scales and sums that follow are readable for a whole group.
inline Rows values_from(const Rows& a, int64_t at) {
    return {a.q + at, a.scale + at / 32, a.sum + at / 16, a.q_stride, a.scale_stride, a.sum_stride};
}

template <class T, int R, int N, bool apart>
inline void dot_tile(const std::byte* w, uint64_t stride, int64_t k, const Rows& a, float* y, int64_t ldy) {
    vf acc[R][N] = {};
    int64_t at = 0;
    // Weights are asked for in the order in which they will be read: behind a row's end the row that comes R rows later. In a slice
    // the two are far apart, and what lies between, the columns that the slice leaves out, would cost as much as the row itself.
    // Where rows are short and apart the processor's own prefetching begins anew with each, and the first-level cache has too few
    // requests on their way to make up for it: the second level is asked.
    const uint64_t row = row_bytes(T::type, k);
    uint64_t ahead_in_row = prefetch_bytes % row;
    uintptr_t ahead = reinterpret_cast<uintptr_t>(w) + prefetch_bytes / row * R * stride + ahead_in_row;
    for (; at + T::group <= k; at += T::group, w += T::group_bytes) {
        for (int r = 0; r < R; r++) {
            for (int line = 0; line < T::group_bytes; line += 64) {
                const void* p = reinterpret_cast<const void*>(ahead + static_cast<uint64_t>(r) * stride + line);
                if constexpr (apart) __builtin_prefetch(p, 0, 2);
                else __builtin_prefetch(p);
            }
        }
        ahead += T::group_bytes, ahead_in_row += T::group_bytes;
        if (ahead_in_row >= row) ahead += R * stride - row, ahead_in_row -= row;
        step<T, R, N>(w, stride, values_from(a, at), T::group, acc);
    }
    if (at < k) {  // the rest of a row, beyond which nothing may be read: copies filled up with zeros
        alignas(64) std::byte weights[R][T::group_bytes] = {};
        alignas(64) int8_t q[N][T::group] = {};
        for (int r = 0; r < R; r++) __builtin_memcpy(weights[r], w + static_cast<uint64_t>(r) * stride, row_bytes(T::type, k - at));
        for (int n = 0; n < N; n++) __builtin_memcpy(q[n], a.q + n * a.q_stride + at, static_cast<size_t>(k - at));
        Rows rest = values_from(a, at);
        rest.q = q[0];
        rest.q_stride = T::group;
        step<T, R, N>(weights[0], T::group_bytes, rest, k - at, acc);
    }
    for (int r = 0; r < R; r++)
        for (int n = 0; n < N; n++) y[n * ldy + r] = hsum(acc[r][n]);
}

template <class T, int R, int N, bool apart>
inline void dot_rows_of(const Weights& w, int64_t r, const Q8& a, float* y, int64_t ldy) {
    const std::byte* row = w.data + static_cast<uint64_t>(r) * w.stride;
    int64_t i = 0;
    for (; i + N <= a.n; i += N) dot_tile<T, R, N, apart>(row, w.stride, w.k, rows_from(a, i), y + i * ldy + r, ldy);
    for (; i < a.n; i++) dot_tile<T, R, 1, apart>(row, w.stride, w.k, rows_from(a, i), y + i * ldy + r, ldy);
}

template <class T, int R, int N, bool apart>
inline void dot_all_rows(const Weights& w, const Q8& a, float* y, int64_t ldy) {
    int64_t r = 0;
    for (; r + R <= w.rows; r += R) dot_rows_of<T, R, N, apart>(w, r, a, y, ldy);
    for (; r < w.rows; r++) dot_rows_of<T, 1, N, apart>(w, r, a, y, ldy);
}

template <class T, int single, bool apart>
inline void matvec_of(const Weights& w, const Q8& a, float* y, int64_t ldy) {
    if (a.n == 1) return dot_all_rows<T, single, 1, apart>(w, a, y, ldy);  // decode: bound by memory
    dot_all_rows<T, few_rows, few_columns, apart>(w, a, y, ldy);
}

template <class T>
void matvec_q8(const Weights& w, const Q8& a, float* y, int64_t ldy) {
    if (w.stride > row_bytes(T::type, w.k)) return matvec_of<T, apart_rows, true>(w, a, y, ldy);
    matvec_of<T, single_rows, false>(w, a, y, ldy);
}

// Panels of weight rows, unpacked once, times all activation rows in tiles of at most N, as equal as they can be.
template <class T, int P, int N>
inline void panel_tile_of(int64_t count, const std::byte* panels, int64_t k, const Rows& a, float* y, int64_t ldy, int64_t m) {
    if (count == N) return panel_tile<T, P, N>(panels, k, a, y, ldy, m);
    if constexpr (N > 1) panel_tile_of<T, P, N - 1>(count, panels, k, a, y, ldy, m);
}

template <class T, int P>
inline void multiply_panels(const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte* scratch) {
    for (int64_t r = 0; r < w.rows; r += panel_rows) pack_panel<T>(w.from(r, w.rows - r < panel_rows ? w.rows - r : panel_rows), scratch + r / panel_rows * panel_bytes<T>(w.k));
    for (int64_t i = 0, tiles = (a.n + matmul_columns - 1) / matmul_columns, count; i < a.n; i += count, tiles--) {
        count = (a.n - i + tiles - 1) / tiles;
        panel_tile_of<T, P, matmul_columns>(count, scratch, w.k, rows_from(a, i), y + i * ldy, ldy, w.rows);
    }
}

template <class T>
void matmul_q8(const Weights& w, const Q8& a, float* y, int64_t ldy, std::byte* scratch) {
    int64_t r = 0;
    for (; w.rows - r > (matmul_panels - 1) * panel_rows; r += matmul_panels * panel_rows) {
        const int64_t m = w.rows - r < matmul_panels * panel_rows ? w.rows - r : matmul_panels * panel_rows;
        multiply_panels<T, matmul_panels>(w.from(r, m), a, y + r, ldy, scratch);
    }
    if (r < w.rows) multiply_panels<T, 1>(w.from(r, w.rows - r), a, y + r, ldy, scratch);
}
