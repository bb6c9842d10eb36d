// Attention over one page of keys or values: tiles of queries by keys (scores) and of queries by vectors of the result (values), each
// element in an order of its own that no tile changes.

// Keys or values in blocks: a vector never reaches over a block, and the head's size is a multiple of it.
struct RowQ8_0 {
    const BlockQ8_0* b;
    explicit RowQ8_0(const std::byte* row) : b(reinterpret_cast<const BlockQ8_0*>(row)) {}
    vf at(int64_t i) const { return splat(f16(b[i / 32].d)) * load_i8(b[i / 32].qs + i % 32); }
    vf part(int64_t i, int64_t) const { return at(i); }
};

template <class Row, int Q, int K>
inline void score_tile(const float* q, int64_t ldq, const std::byte* k, int64_t key_bytes, int64_t head_dim, float* s, int64_t lds) {
    vf sum[Q][K] = {};
    int64_t d = 0;
    for (; d + W <= head_dim; d += W) {
        vf key[K];
        for (int j = 0; j < K; j++) key[j] = Row(k + j * key_bytes).at(d);
        for (int i = 0; i < Q; i++) {
            const vf query = load(q + i * ldq + d);
            for (int j = 0; j < K; j++) sum[i][j] += query * key[j];
        }
    }
    if (d < head_dim) {
        for (int j = 0; j < K; j++) {
            const vf key = Row(k + j * key_bytes).part(d, head_dim - d);
            for (int i = 0; i < Q; i++) sum[i][j] += load_part(q + i * ldq + d, head_dim - d) * key;
        }
    }
    for (int i = 0; i < Q; i++)
        for (int j = 0; j < K; j++) s[i * lds + j] = hsum(sum[i][j]);
}

template <class Row, int K>
inline void score_keys(const float* q, int64_t ldq, int nq, const std::byte* k, int64_t key_bytes, int64_t head_dim, float* s, int64_t lds) {
    int i = 0;
    for (; i + score_queries <= nq; i += score_queries) score_tile<Row, score_queries, K>(q + i * ldq, ldq, k, key_bytes, head_dim, s + i * lds, lds);
    for (; i < nq; i++) score_tile<Row, 1, K>(q + i * ldq, ldq, k, key_bytes, head_dim, s + i * lds, lds);
}

template <class Row>
void scores_of(const float* q, int64_t ldq, int nq, const std::byte* k, int64_t key_bytes, int nk, int64_t head_dim, float* s, int64_t lds) {
    int j = 0;
    for (; j + 4 <= nk; j += 4) score_keys<Row, 4>(q, ldq, nq, k + j * key_bytes, key_bytes, head_dim, s + j, lds);
    for (; j < nk; j++) score_keys<Row, 1>(q, ldq, nq, k + j * key_bytes, key_bytes, head_dim, s + j, lds);
}

void scores(const float* q, int64_t ldq, int nq, const std::byte* k, DType type, int64_t ldk, int nk, int64_t head_dim, float* s, int64_t lds) {
    const auto key_bytes = static_cast<int64_t>(row_bytes(type, ldk));
    switch (type) {
        case DType::f16: return scores_of<RowF16>(q, ldq, nq, k, key_bytes, nk, head_dim, s, lds);
        case DType::q8_0: return scores_of<RowQ8_0>(q, ldq, nq, k, key_bytes, nk, head_dim, s, lds);
        default: return scores_of<RowF32>(q, ldq, nq, k, key_bytes, nk, head_dim, s, lds);
    }
}

// C vectors of each of Q results.
template <class Row, int Q, int C>
inline void value_tile(const float* p, int64_t ldp, const std::byte* v, int64_t value_bytes, int nk, int64_t d, float* o, int64_t ldo) {
    vf sum[Q][C];
    for (int i = 0; i < Q; i++)
        for (int c = 0; c < C; c++) sum[i][c] = load(o + i * ldo + d + c * W);
    for (int j = 0; j < nk; j++) {
        const Row row(v + j * value_bytes);
        vf value[C];
        for (int c = 0; c < C; c++) value[c] = row.at(d + c * W);
        for (int i = 0; i < Q; i++) {
            const vf weight = splat(p[i * ldp + j]);
            for (int c = 0; c < C; c++) sum[i][c] += weight * value[c];
        }
    }
    for (int i = 0; i < Q; i++)
        for (int c = 0; c < C; c++) store(o + i * ldo + d + c * W, sum[i][c]);
}

template <class Row, int Q>
inline void value_queries(const float* p, int64_t ldp, const std::byte* v, int64_t value_bytes, int nk, int64_t head_dim, float* o, int64_t ldo) {
    int64_t d = 0;
    for (; d + value_vectors * W <= head_dim; d += value_vectors * W) value_tile<Row, Q, value_vectors>(p, ldp, v, value_bytes, nk, d, o, ldo);
    for (; d + W <= head_dim; d += W) value_tile<Row, Q, 1>(p, ldp, v, value_bytes, nk, d, o, ldo);
    if (d == head_dim) return;
    const int64_t lanes = head_dim - d;
    for (int i = 0; i < Q; i++) {
        vf sum = load_part(o + i * ldo + d, lanes);
        for (int j = 0; j < nk; j++) sum += splat(p[i * ldp + j]) * Row(v + j * value_bytes).part(d, lanes);
        store_part(o + i * ldo + d, sum, lanes);
    }
}

template <class Row>
void values_of(const float* p, int64_t ldp, int nq, const std::byte* v, int64_t value_bytes, int nk, int64_t head_dim, float* o, int64_t ldo) {
    int i = 0;
    for (; i + 4 <= nq; i += 4) value_queries<Row, 4>(p + i * ldp, ldp, v, value_bytes, nk, head_dim, o + i * ldo, ldo);
    for (; i < nq; i++) value_queries<Row, 1>(p + i * ldp, ldp, v, value_bytes, nk, head_dim, o + i * ldo, ldo);
}

void values(const float* p, int64_t ldp, int nq, const std::byte* v, DType type, int64_t ldv, int nk, int64_t head_dim, float* o, int64_t ldo) {
    const auto value_bytes = static_cast<int64_t>(row_bytes(type, ldv));
    switch (type) {
        case DType::f16: return values_of<RowF16>(p, ldp, nq, v, value_bytes, nk, head_dim, o, ldo);
        case DType::q8_0: return values_of<RowQ8_0>(p, ldp, nq, v, value_bytes, nk, head_dim, o, ldo);
        default: return values_of<RowF32>(p, ldp, nq, v, value_bytes, nk, head_dim, o, ldo);
    }
}
