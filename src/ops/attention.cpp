#include "ops/attention.h"

#include "base/f16.h"
#include "tensor/blocks.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gemma3n::ops {

namespace {

// Queries of a tile: consecutive rows of one sequence. Many rows share one conversion of each page; the scores of a tile must
// stay in the cache of a core.
constexpr int64_t max_tile_rows = 16;
constexpr int64_t max_tile_scores = 1 << 17;  // floats

struct Tile {
    int64_t first_row, n_rows;
};

// First key position that a query at `position` sees.
int64_t first_key(int64_t position, int64_t window) { return window > 0 ? std::max<int64_t>(0, position - window + 1) : 0; }

std::vector<Tile> make_tiles(const AttentionShape& shape, const StepRows& rows, int64_t group) {
    std::vector<Tile> tiles;
    for (int64_t r = 0; r < rows.n();) {
        int64_t n = 1;
        while (r + n < rows.n() && n < max_tile_rows && rows.sequence[r + n] == rows.sequence[r]) {
            const int64_t keys = rows.position[r + n] + 1 - first_key(rows.position[r], shape.window);
            if ((n + 1) * group * keys > max_tile_scores) break;
            n++;
        }
        tiles.push_back({r, n});
        r += n;
    }
    return tiles;
}

}  // namespace

void attention(Context& c, const AttentionShape& shape, const StepRows& rows, std::span<const KvPages> kv, View q, View out) {
    if (rows.n() == 0) return;
    const Arena::Scope scope(c.scratch);
    const int64_t hd = shape.head_dim, group = shape.n_heads / shape.n_kv_heads;
    const std::vector<Tile> tiles = make_tiles(shape, rows, group);

    // A unit of work is (tile, KV head, part of its query heads); heads are parted only when there is less work than threads.
    int64_t parts = 1;
    while (static_cast<int64_t>(tiles.size()) * shape.n_kv_heads * parts < c.pool.n_threads() && group % (parts * 2) == 0) parts *= 2;
    const int64_t heads = group / parts;  // query heads of a unit

    int64_t max_scores = 0, max_queries = 0;
    for (const Tile& t : tiles) {
        const int64_t page = kv[rows.sequence[t.first_row]].pages[0]->shape.page_tokens;
        const int64_t lo = first_key(rows.position[t.first_row], shape.window) / page * page;
        max_scores = std::max(max_scores, t.n_rows * heads * (rows.position[t.first_row + t.n_rows - 1] + 1 - lo));
        max_queries = std::max(max_queries, t.n_rows * heads);
    }
    const int64_t per_worker = (max_scores + 2 * max_queries * hd + 15) / 16 * 16;
    float* scratch = c.scratch.view(c.pool.n_threads(), per_worker).f32();

    const int64_t n_units = static_cast<int64_t>(tiles.size()) * shape.n_kv_heads * parts;
    const auto work = [&](int64_t first_unit, int64_t last_unit, int worker) {
        float* queries = scratch + worker * per_worker;   // [n_queries, hd], scaled
        float* results = queries + max_queries * hd;      // [n_queries, hd]
        float* scores = results + max_queries * hd;       // [n_queries, n_keys]
        for (int64_t unit = first_unit; unit < last_unit; unit++) {  // later ones see more keys
            const Tile& tile = tiles[unit / (shape.n_kv_heads * parts)];
            const int64_t kv_head = unit / parts % shape.n_kv_heads;
            const int64_t first_head = kv_head * group + unit % parts * heads;
            const KvPages& pages = kv[rows.sequence[tile.first_row]];
            const int64_t page_tokens = pages.pages[0]->shape.page_tokens;
            const int64_t nq = tile.n_rows * heads;

            for (int64_t t = 0; t < tile.n_rows; t++) {
                float* to = queries + t * heads * hd;
                memcpy(to, q.f32(tile.first_row + t) + first_head * hd, heads * hd * sizeof(float));
                if (shape.scale != 1) c.k.scale(to, heads * hd, shape.scale);
            }
            const int64_t first_page = first_key(rows.position[tile.first_row], shape.window) / page_tokens;
            const int64_t begin = first_page * page_tokens;
            const int64_t end = rows.position[tile.first_row + tile.n_rows - 1] + 1;
            const int64_t n_keys = end - begin;
            for (int64_t p = begin; p < end; p += page_tokens) {
                const KvPage& page = pages.page(p / page_tokens);
                c.k.scores(queries, hd, nq, page.key(kv_head, 0), page.type, hd, std::min(page_tokens, end - p), hd,
                           scores + (p - begin), n_keys);
            }
            for (int64_t i = 0; i < nq; i++) {  // softmax over what the query sees, zero elsewhere
                const int64_t position = rows.position[tile.first_row + i / heads];
                const int64_t lo = first_key(position, shape.window) - begin, hi = position + 1 - begin;
                float* s = scores + i * n_keys;
                c.k.softmax(s + lo, hi - lo);
                std::fill(s, s + lo, 0.0f);
                std::fill(s + hi, s + n_keys, 0.0f);
            }
            std::fill(results, results + nq * hd, 0.0f);
            for (int64_t p = begin; p < end; p += page_tokens) {
                const KvPage& page = pages.page(p / page_tokens);
                c.k.values(scores + (p - begin), n_keys, nq, page.value(kv_head, 0), page.type, hd, std::min(page_tokens, end - p), hd,
                           results, hd);
            }
            for (int64_t t = 0; t < tile.n_rows; t++) {
                memcpy(out.f32(tile.first_row + t) + first_head * hd, results + t * heads * hd, heads * hd * sizeof(float));
            }
        }
    };
    if (max_scores * hd * n_units < c.worth_sharing) work(0, n_units, 0);
    else c.pool.split(n_units, 1, work);
}

void plan_attention(ScratchPlan& p, const AttentionShape& shape, int64_t n, int64_t keys, int64_t page_tokens) {
    if (n == 0) return;
    const int64_t group = shape.n_heads / shape.n_kv_heads, rows = std::min(n, max_tile_rows), before = page_tokens - 1;  // keys of the first page that no row sees
    if (shape.window > 0) keys = std::min(keys, shape.window + rows - 1);
    const int64_t one = group * (keys + before), many = std::min(max_tile_scores, rows * group * keys) + rows * group * before;
    const ScratchPlan::Scope scope(p);
    p.view(p.n_threads, (std::max(one, many) + 2 * rows * group * shape.head_dim + 15) / 16 * 16);
}

// As 8-bit activations, but for the scale, which a block holds in f16: a value is off by half a step of max / 127, and by 2^-11 of itself.
static void store_blocks(Context& c, const float* from, int64_t n, BlockQ8_0* to) {
    alignas(64) int8_t q[max_head_dim];
    float scale[max_head_dim / kernels::q8_block];
    int16_t sum[max_head_dim / 16];
    c.k.quantize_q8(from, n, q, scale, sum);
    for (int64_t b = 0; b < n / kernels::q8_block; b++) {
        to[b].d = f32_to_f16(scale[b]);
        memcpy(to[b].qs, q + b * kernels::q8_block, kernels::q8_block);
    }
}

void store_kv(Context& c, const StepRows& rows, std::span<const KvPages> kv, View k, View v) {
    c.each_row(rows.n(), [&](int64_t r) {
        const KvPages& pages = kv[rows.sequence[r]];
        const int64_t page_tokens = pages.pages[0]->shape.page_tokens;
        const KvPage& page = pages.page(rows.position[r] / page_tokens);
        const int64_t token = rows.position[r] % page_tokens, hd = page.shape.head_dim;
        for (int64_t h = 0; h < page.shape.n_kv_heads; h++) {
            const std::pair<const float*, std::byte*> moves[] = {{k.f32(r) + h * hd, page.key(h, token)},
                                                                 {v.f32(r) + h * hd, page.value(h, token)}};
            for (auto [from, to] : moves) {
                switch (page.type) {
                    case DType::f16: c.k.f32_to_f16(from, hd, reinterpret_cast<uint16_t*>(to)); break;
                    case DType::q8_0: store_blocks(c, from, hd, reinterpret_cast<BlockQ8_0*>(to)); break;
                    default: memcpy(to, from, hd * sizeof(float));
                }
            }
        }
    });
}

}  // namespace gemma3n::ops
