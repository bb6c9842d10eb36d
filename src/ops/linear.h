// Matrix products: out[i] = W x[i]. The weights' type is known here and below only.
#pragma once

#include "ops/context.h"

#include <cstdint>
#include <initializer_list>
#include <span>

namespace gemma3n::ops {

// Rows that are about to be multiplied, with their 8-bit form made on first need and shared by all matrices that read them.
// The 8-bit form lives in the scope of the arena in which the Input was made.
class Input {
public:
    explicit Input(View x) : x_(x) {}
    const View& f32() const { return x_; }
    const kernels::Q8& q8(Context& c);

private:
    View x_;  // [n, k] f32
    kernels::Q8 q8_;
};

struct Product {
    View weights;  // [rows, k], any type
    View out;      // [n, rows] f32
};

// In which order a row's products are summed. `by_size`: small steps (1..16 rows) and large ones each in their own, the fastest. `steady`:
// in that of large steps however few rows there are, so that rows computed in any groups have the same bits; few rows then pay for
// unpacking the weights.
enum class Order { by_size, steady };

// All products of one call share one parallel region: threads split the rows of all matrices together.
void linear(Context& c, Input& x, std::initializer_list<Product> products, Order order = Order::by_size);
inline void linear(Context& c, View x, View weights, View out, Order order = Order::by_size) {
    Input in(x);
    linear(c, in, {{weights, out}}, order);
}

// Rows `rows` of W, in any order, for a step of at most kernels::matvec_max_rows: out[i][r] = W[r] x[i] with the bits of linear(); what
// is not listed stays as it is in out. Reads nothing of the other rows of W, and shows nothing to Context::inputs.
void linear_rows(Context& c, Input& x, const Product& product, std::span<const int32_t> rows);

// The same on paper: [n, k] times matrices of those types.
class PlannedInput {
public:
    PlannedInput(int64_t n, int64_t k) : n_(n), k_(k) {}
    void linear(ScratchPlan& p, std::initializer_list<DType> weights);
    void linear_rows(ScratchPlan& p, DType weights);

private:
    void q8(ScratchPlan& p, bool any_quantised);
    int64_t n_, k_;
    bool q8_ = false;
};
inline void plan_linear(ScratchPlan& p, int64_t n, int64_t k, DType weights) { PlannedInput(n, k).linear(p, {weights}); }

}  // namespace gemma3n::ops
