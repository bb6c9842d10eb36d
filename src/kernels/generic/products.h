// Products with f32 activations, weights of any type.

// R weight rows times N activation rows. Two accumulators a product hide the latency when few are computed; every shape uses both,
// so that a product's bits are the same in all of them.
template <class Row, int R, int N>
inline void dot_tile(const std::byte* w, uint64_t stride, int64_t k, const float* x, int64_t ldx, float* y, int64_t ldy) {
    vf even[R][N] = {}, odd[R][N] = {};
    int64_t i = 0;
    for (; i + 2 * W <= k; i += 2 * W) {
        vf a[N], b[N];
        for (int n = 0; n < N; n++) a[n] = load(x + n * ldx + i), b[n] = load(x + n * ldx + i + W);
        for (int r = 0; r < R; r++) {
            const Row row(w + static_cast<uint64_t>(r) * stride);
            const vf wa = row.at(i), wb = row.at(i + W);
            for (int n = 0; n < N; n++) {
                even[r][n] += wa * a[n];
                odd[r][n] += wb * b[n];
            }
        }
    }
    for (; i < k; i += W) {
        const int64_t lanes = k - i < W ? k - i : W;
        for (int r = 0; r < R; r++) {
            const vf wa = Row(w + static_cast<uint64_t>(r) * stride).part(i, lanes);
            for (int n = 0; n < N; n++) even[r][n] += wa * load_part(x + n * ldx + i, lanes);
        }
    }
    for (int r = 0; r < R; r++)
        for (int n = 0; n < N; n++) y[n * ldy + r] = hsum(even[r][n] + odd[r][n]);
}

template <class Row, int R>
inline void dot_columns_of(const std::byte* w, uint64_t stride, int64_t k, const float* x, int64_t ldx, int64_t n, float* y, int64_t ldy) {
    int64_t i = 0;
    for (; i + dot_columns <= n; i += dot_columns) dot_tile<Row, R, dot_columns>(w, stride, k, x + i * ldx, ldx, y + i * ldy, ldy);
    for (; i < n; i++) dot_tile<Row, R, 1>(w, stride, k, x + i * ldx, ldx, y + i * ldy, ldy);
}

// All rows of w times n activation rows, in tiles.
template <class Row>
void dots(const std::byte* w, uint64_t stride, int64_t n_rows, int64_t k, const float* x, int64_t ldx, int64_t n, float* y, int64_t ldy) {
    int64_t r = 0;
    for (; r + dot_rows <= n_rows; r += dot_rows) dot_columns_of<Row, dot_rows>(w + static_cast<uint64_t>(r) * stride, stride, k, x, ldx, n, y + r, ldy);
    for (; r < n_rows; r++) dot_columns_of<Row, 1>(w + static_cast<uint64_t>(r) * stride, stride, k, x, ldx, n, y + r, ldy);
}

void matvec_f32(const Weights& w, const float* x, int64_t ldx, int64_t n, float* y, int64_t ldy, std::byte* scratch) {
    switch (w.type) {
        case DType::f32: return dots<RowF32>(w.data, w.stride, w.rows, w.k, x, ldx, n, y, ldy);
        case DType::f16: return dots<RowF16>(w.data, w.stride, w.rows, w.k, x, ldx, n, y, ldy);
        case DType::bf16: return dots<RowBf16>(w.data, w.stride, w.rows, w.k, x, ldx, n, y, ldy);
        default: break;
    }
    auto* rows = reinterpret_cast<float*>(scratch);  // [dot_rows, k], de-quantised
    for (int64_t r = 0; r < w.rows; r += dot_rows) {
        const int64_t m = w.rows - r < dot_rows ? w.rows - r : dot_rows;
        for (int64_t j = 0; j < m; j++) values_to_f32(w.type, w.data + static_cast<uint64_t>(r + j) * w.stride, w.k, rows + j * w.k);
        dots<RowF32>(scratch, static_cast<uint64_t>(w.k) * sizeof(float), m, w.k, x, ldx, n, y + r, ldy);
    }
}

// ---- many activation rows ------------------------------------------------------------------------------------------------
// A set says chunk_values, the values of k that are taken at a time, a multiple of every block: its copy of block_rows activation rows must
// stay in the second-level cache.

constexpr int64_t block_rows = 384;                                 // activation rows that meet all panels of a chunk
constexpr int64_t copy_stride = chunk_values + 64 / sizeof(float);       // one line more than a chunk
static_assert((matmul_rows * chunk_values + block_rows * copy_stride) * sizeof(float) <= matmul_f32_scratch_bytes);

// Values [first, first + n) of m weight rows as [n][panel]; rows that are not there are zero.
template <int panel>
inline void unpack_panel(const Weights& w, int64_t row, int64_t m, int64_t first, int64_t n, float* to) {
    float copies[panel][chunk_values];
    const std::byte* from = w.data + static_cast<uint64_t>(row) * w.stride + row_bytes(w.type, first);
    const bool as_they_lie = w.type == DType::f32 && m == panel;
    const float* rows = as_they_lie ? reinterpret_cast<const float*>(from) : copies[0];
    const int64_t stride = as_they_lie ? static_cast<int64_t>(w.stride / sizeof(float)) : chunk_values;
    for (int64_t r = 0; r < panel && !as_they_lie; r++) {
        if (r < m) values_to_f32(w.type, from + static_cast<uint64_t>(r) * w.stride, n, copies[r]);
        else __builtin_memset(copies[r], 0, sizeof copies[r]);
    }
    for (int r = 0; r < panel; r += W) {
        int64_t i = 0;
        for (; i + 4 <= n; i += 4) {
            vf turned[4];
            load_columns(rows + r * stride + i, stride, turned);
            for (int j = 0; j < 4; j++) store(to + (i + j) * panel + r, turned[j]);
        }
        for (; i < n; i++)
            for (int j = r; j < r + W; j++) __builtin_memcpy(to + i * panel + j, rows + j * stride + i, sizeof(float));
    }
}

// The weights that a tile asks for while it computes, so many bytes a value of k: a row of the next panel each. They come from memory in
// pieces too short for what the CPU foresees itself.
struct Ahead {
    const std::byte* at;
    int64_t step;
};

// A chunk's share of V vectors of weight rows times N activation rows: the lanes are weight rows, each a single chain over k.
template <int V, int N>
inline void panel_tile(const float* panel, int64_t n_values, const float* x, float* y, int64_t ldy, int64_t m, bool first, Ahead ahead) {
    vf sum[N][V] = {};
    for (int64_t i = 0; i < n_values; i++) {
        vf w[V];
        __builtin_prefetch(ahead.at + i * ahead.step, 0, 2);
        for (int c = 0; c < V; c++) w[c] = load(panel + (i * V + c) * W);
        for (int n = 0; n < N; n++)
            for (int c = 0; c < V; c++) sum[n][c] += splat(x[n * copy_stride + i]) * w[c];
    }
    for (int n = 0; n < N; n++) {
        for (int c = 0; c < V && c * W < m; c++) {
            float* to = y + n * ldy + c * W;
            const int64_t lanes = m - c * W < W ? m - c * W : W;
            store_part(to, first ? sum[n][c] : sum[n][c] + load_part(to, lanes), lanes);
        }
    }
}

// Tiles of at most N activation rows, as equal as they can be: a tile of few rows waits for its own sums.
template <int V, int N>
inline void panel_tile_of(int64_t count, const float* panel, int64_t n_values, const float* x, float* y, int64_t ldy, int64_t m, bool first, Ahead ahead) {
    if (count == N) return panel_tile<V, N>(panel, n_values, x, y, ldy, m, first, ahead);
    if constexpr (N > 1) panel_tile_of<V, N - 1>(count, panel, n_values, x, y, ldy, m, first, ahead);
}

template <int panel>
inline void multiply_panel(const Weights& w, int64_t row, int64_t m, int64_t k, int64_t n_values, const float* x, int64_t n, float* y, int64_t ldy, float* to) {
    unpack_panel<panel>(w, row, m, k, n_values, to);
    Ahead ahead{w.data + static_cast<uint64_t>(row + panel) * w.stride + row_bytes(w.type, k), static_cast<int64_t>(row_bytes(w.type, n_values)) / n_values};
    for (int64_t i = 0, tiles = (n + matmul_columns - 1) / matmul_columns, count; i < n; i += count, tiles--, ahead.at += w.stride) {
        count = (n - i + tiles - 1) / tiles;
        panel_tile_of<panel / W, matmul_columns>(count, to, n_values, x + i * copy_stride, y + i * ldy + row, ldy, m, k == 0, ahead);
    }
}

// Blocks of activation rows outermost, then chunks of k: what a chunk has of a block's rows is copied once and stays in the second-level
// cache while every panel passes by. In the copy the rows of a tile fall into different sets of the first-level cache; where they lie, a
// power of two apart, they would drive each other and the panel out of it. The price: y is read and written once a chunk, weights are
// unpacked once a block.
void matmul_f32(const Weights& w, const float* x, int64_t ldx, int64_t n, float* y, int64_t ldy, std::byte* scratch) {
    auto* panel = reinterpret_cast<float*>(scratch);
    float* copy = panel + matmul_rows * chunk_values;
    for (; n > 0; n -= block_rows, x += block_rows * ldx, y += block_rows * ldy) {
        const int64_t rows = n < block_rows ? n : block_rows;
        for (int64_t k = 0; k < w.k; k += chunk_values) {
            const int64_t n_values = w.k - k < chunk_values ? w.k - k : chunk_values;
            for (int64_t i = 0; i < rows; i++) __builtin_memcpy(copy + i * copy_stride, x + i * ldx + k, static_cast<size_t>(n_values) * sizeof(float));
            int64_t r = 0;
            for (; w.rows - r > matmul_rows - panel_rows; r += matmul_rows) multiply_panel<matmul_rows>(w, r, w.rows - r < matmul_rows ? w.rows - r : matmul_rows, k, n_values, copy, rows, y, ldy, panel);
            if (r < w.rows) multiply_panel<panel_rows>(w, r, w.rows - r, k, n_values, copy, rows, y, ldy, panel);
        }
    }
}
