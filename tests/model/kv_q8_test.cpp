// Keys and values in 8 bit: how far a stored value may be off, and what that may do to attention, by bounds that follow from the rounding.
#include "base/f16.h"
#include "model/cache/cache.h"
#include "ops/attention.h"
#include "tensor/blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace gemma3n::test {
namespace {

constexpr int64_t n_tokens = 150, n_heads = 4, n_kv_heads = 2, head_dim = 64;

std::vector<float> normal(int64_t n, uint64_t seed, float deviation) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> d(0, deviation);
    std::vector<float> v(static_cast<size_t>(n));
    for (float& x : v) x = d(random);
    return v;
}

class KvQ8 : public testing::Test {
protected:
    KvQ8() : k_(normal(n_tokens * n_kv_heads * head_dim, 1, 1)), v_(normal(n_tokens * n_kv_heads * head_dim, 2, 3)), q_(normal(n_tokens * n_heads * head_dim, 3, 0.3f)) {
        config_.n_layers = 1;
        config_.n_kv_heads = n_kv_heads;
        config_.head_dim = head_dim;
        config_.layers = {{false, 1, 0, 0}};
    }
    View view(std::vector<float>& values, int64_t cols) {
        buffers_.push_back({reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(float)});
        return {&buffers_.back(), 0, DType::f32, static_cast<int64_t>(values.size()) / cols, cols, static_cast<uint64_t>(cols) * sizeof(float)};
    }
    // Appends all tokens in steps of `chunk` and attends from each.
    std::vector<float> run(const kernels::Table& table, model::Cache& cache, int64_t chunk) {
        Pool pool(1);
        Arena arena;
        Context c{table, pool, arena, true};
        std::vector<float> out(q_.size());
        const View k = view(k_, n_kv_heads * head_dim), v = view(v_, n_kv_heads * head_dim), q = view(q_, n_heads * head_dim), o = view(out, n_heads * head_dim);
        for (int64_t at = 0; at < n_tokens; at += chunk) {
            const int64_t n = std::min(chunk, n_tokens - at);
            cache.prepare(n);
            std::vector<int64_t> position;
            for (int64_t i = 0; i < n; i++) position.push_back(at + i);
            const std::vector<int32_t> sequence(static_cast<size_t>(n), 0);
            const ops::KvPages pages = cache.pages(0);
            ops::store_kv(c, {position, sequence}, {&pages, 1}, k.rows(at, n), v.rows(at, n));
            ops::attention(c, {n_heads, n_kv_heads, head_dim, 0, 1}, {position, sequence}, {&pages, 1}, q.rows(at, n), o.rows(at, n));
            cache.commit(n);
        }
        return out;
    }

    model::Config config_;
    std::vector<float> k_, v_, q_;
    std::deque<Buffer> buffers_;
};

// Half a step of the block's largest value / 127, and the scale's own rounding to f16.
double allowed(const float* block) {
    double largest = 0;
    for (int i = 0; i < 32; i++) largest = std::max<double>(largest, std::fabs(block[i]));
    return largest / 254 * 1.0001 + largest / 2048;
}

TEST_F(KvQ8, AStoredValueIsOffByHalfAStep) {
    for (const kernels::Entry& e : kernels::all()) {
        if (!e.supported) continue;
        model::Cache cache(config_, {.type = DType::q8_0});
        run(*e.table, cache, 7);
        for (int64_t t = 0; t < n_tokens; t++) {
            for (int64_t h = 0; h < n_kv_heads; h++) {
                const ops::KvPage& page = cache.pages(0).page(t / 64);
                for (const auto& [from, to] : {std::pair(&k_, page.key(h, t % 64)), std::pair(&v_, page.value(h, t % 64))}) {
                    const float* x = from->data() + (t * n_kv_heads + h) * head_dim;
                    const auto* b = reinterpret_cast<const BlockQ8_0*>(to);
                    for (int64_t i = 0; i < head_dim; i++) {
                        const double stored = static_cast<double>(f16_to_f32(b[i / 32].d)) * b[i / 32].qs[i % 32];
                        ASSERT_NEAR(stored, x[i], allowed(x + i / 32 * 32)) << e.table->name << ", token " << t;
                    }
                }
            }
        }
    }
}

// Scores are off by delta = sum |q| |dk| at most, so weights by a factor of e^(2 delta), and the result by that of the values and by theirs.
TEST_F(KvQ8, AttentionIsOffByWhatTheRoundingAllows) {
    double delta = 0, dv = 0, largest_v = 0;
    for (int64_t t = 0; t < n_tokens; t++) {
        for (int64_t h = 0; h < n_kv_heads * head_dim; h += 32) {
            const size_t at = static_cast<size_t>(t * n_kv_heads * head_dim + h);
            dv = std::max(dv, allowed(&v_[at]));
            for (size_t i = 0; i < 32; i++) largest_v = std::max<double>(largest_v, std::fabs(v_[at + i]));
        }
    }
    for (int64_t r = 0; r < n_tokens; r++) {
        for (int64_t h = 0; h < n_heads; h++) {
            for (int64_t t = 0; t <= r; t++) {
                double sum = 0;
                for (int64_t i = 0; i < head_dim; i++) {
                    const size_t key = static_cast<size_t>((t * n_kv_heads + h / (n_heads / n_kv_heads)) * head_dim + i / 32 * 32);
                    sum += std::fabs(static_cast<double>(q_[static_cast<size_t>((r * n_heads + h) * head_dim + i)])) * allowed(&k_[key]);
                }
                delta = std::max(delta, sum);
            }
        }
    }
    const double bound = std::expm1(2 * delta) * largest_v + dv;
    model::Cache exact(config_, {.type = DType::f32}), rounded(config_, {.type = DType::q8_0});
    const std::vector<float> a = run(kernels::reference(), exact, 16), b = run(kernels::reference(), rounded, 16);
    double largest = 0, squares = 0, size = 0;
    for (size_t i = 0; i < a.size(); i++) {
        largest = std::max<double>(largest, std::fabs(a[i] - b[i]));
        squares += std::pow(a[i] - b[i], 2);
        size += std::pow(a[i], 2);
    }
    printf("attention over 8-bit keys and values: rms %.4f of the result's, largest %.4f, allowed %.4f\n", std::sqrt(squares / size), largest, bound);
    EXPECT_LE(largest, bound);
    EXPECT_GT(largest, 0) << "8 bit were asked for";
    EXPECT_LT(std::sqrt(squares / size), 0.02);
}

TEST_F(KvQ8, AnyStepsGiveTheSameBits) {
    for (const kernels::Entry& e : kernels::all()) {
        if (!e.supported) continue;
        model::Cache one(config_, {.type = DType::q8_0});
        const std::vector<float> first = run(*e.table, one, 1);
        for (const int64_t chunk : {3, 16, 64, 150}) {
            model::Cache cache(config_, {.type = DType::q8_0});
            EXPECT_EQ(run(*e.table, cache, chunk), first) << e.table->name << ", steps of " << chunk;
        }
    }
}

}  // namespace
}  // namespace gemma3n::test
