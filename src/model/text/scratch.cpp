#include "model/text/scratch.h"

#include "model/text/rows.h"
#include "ops/linear.h"

#include <algorithm>
#include <span>

namespace gemma3n::model {

namespace {

using ops::PlannedInput;
using ops::plan_linear;

// Follows gemma3n.cpp, gemma3.cpp and the steps that they name.
class Plan {
public:
    Plan(const Config& g, const Weights& w, const Slice& slice, const StepShape& s) : g_(g), w_(w), slice_(slice), s_(s), p_(s.n_threads, s.exact) {}

    uint64_t gemma3n() {
        const int64_t n = s_.rows, d = g_.hidden;
        const bool narrows = s_.wanted < n;
        ropes(n);
        gemma3n_state(n);
        p_.view(n, d);  // embeds
        expand(n);
        const auto kept = static_cast<int64_t>(slice_.layers.size()), below = std::find(slice_.layers.begin(), slice_.layers.end(), last_kv_owner(g_, slice_)) - slice_.layers.begin();
        per_layer(n, 0, narrows ? below : kept);
        gemma3n_layers(n);
        if (s_.wanted == 0) return p_.peak();
        if (narrows) {
            ropes(s_.wanted);
            gemma3n_state(s_.wanted);
            p_.view(g_.n_streams * s_.wanted, d);  // predictions, h, embeds of the wanted rows
            views(2, s_.wanted, d);
            per_layer(s_.wanted, below, kept);
            gemma3n_layers(s_.wanted);
        }
        merge();
        head();
        return p_.peak();
    }

    uint64_t gemma3() {
        const int64_t n = s_.rows, d = g_.hidden;
        ropes(n);
        views(3, n, d);  // x, h, branch
        qkv(n);
        for (size_t kept = 0; kept < slice_.layers.size(); kept++) shared(n, slice_.layers[kept], w_.gemma3_layers[slice_.layers[kept]], slice_.ff[kept]);
        if (s_.wanted == 0) return p_.peak();
        if (s_.wanted < n) {
            ropes(s_.wanted);
            views(2, s_.wanted, d);  // x, h
        }
        head();
        return p_.peak();
    }

private:
    void views(int how_many, int64_t rows, int64_t cols) {
        for (int i = 0; i < how_many; i++) p_.view(rows, cols);
    }
    void ropes(int64_t n) { views(4, n, g_.head_dim / 2); }  // cosines and sines, local and global
    void qkv(int64_t n) {
        p_.view(n, g_.n_heads * g_.head_dim);
        views(2, n, g_.n_kv_heads * g_.head_dim);
    }

    void gemma3n_state(int64_t n) {
        views(2, g_.n_streams * n, g_.hidden);
        views(5, n, g_.hidden);
        qkv(n);
    }

    void expand(int64_t n) {
        const ScratchPlan::Scope scope(p_);
        PlannedInput e(n, g_.hidden);
        for (const View& w : w_.altup_projections) e.linear(p_, {w.type});
    }

    void per_layer(int64_t n, int64_t first, int64_t end) {  // of the kept layers
        p_.view(n, (end - first) * g_.per_layer_width);
        const ScratchPlan::Scope scope(p_);
        for (const LayerRun& run : runs(std::span(slice_.layers).subspan(static_cast<size_t>(first), static_cast<size_t>(end - first)))) {
            const ScratchPlan::Scope of_run(p_);
            const int64_t width = run.n * g_.per_layer_width;
            p_.view(n, width);  // the table's rows
            {
                const ScratchPlan::Scope reading(p_);
                const int64_t cols = width + 2 * info(w_.embed_tokens_per_layer.type).block;  // whole blocks
                p_.view(p_.n_threads, static_cast<int64_t>(row_bytes(w_.embed_tokens_per_layer.type, cols) / 4 + 1));
                p_.view(p_.n_threads, cols);
            }
            plan_linear(p_, n, g_.hidden, w_.per_layer_model_projection.type);
        }
    }

    void gemma3n_layers(int64_t n) {
        const int64_t d = g_.hidden, p = g_.per_layer_width;
        altup();
        for (size_t kept = 0; kept < slice_.layers.size(); kept++) {
            const int i = slice_.layers[kept];
            const Gemma3nLayerWeights& l = w_.layers[i];
            shared(n, i, l, slice_.ff[kept]);
            {
                const ScratchPlan::Scope laurel(p_);
                p_.view(n, g_.laurel_rank);
                plan_linear(p_, n, d, l.laurel_left.type);
                plan_linear(p_, n, g_.laurel_rank, l.laurel_right.type);
            }
            const ScratchPlan::Scope inject(p_);
            if (l.correct_output_scale) p_.view(n, d);
            p_.view(n, p);
            p_.view(n, d);
            plan_linear(p_, n, d, l.per_layer_input_gate.type);
            plan_linear(p_, n, p, l.per_layer_projection.type);
        }
    }

    void altup() {  // correction: the router's rows and an innovation for each thread
        const ScratchPlan::Scope scope(p_);
        p_.bytes((kernels::matmul_scratch_bytes(g_.hidden) + static_cast<uint64_t>(g_.hidden) * sizeof(float) + 63) / 64 * 64 * static_cast<uint64_t>(p_.n_threads));
        p_.view(p_.n_threads, g_.hidden);
    }

    template <class Layer>
    void shared(int64_t n, int i, const Layer& l, int64_t ff) {
        const int64_t d = g_.hidden, q = g_.n_heads * g_.head_dim;
        {
            const ScratchPlan::Scope qkv(p_);
            PlannedInput h(n, d);
            if (l.self_attn.k_proj) h.linear(p_, {l.self_attn.q_proj.type, l.self_attn.k_proj.type, l.self_attn.v_proj.type});
            else h.linear(p_, {l.self_attn.q_proj.type});
        }
        {
            const ScratchPlan::Scope attention(p_);
            p_.view(n, q);
            ops::plan_attention(p_, attention_shape(g_, i), n, s_.context, s_.page_tokens);
            plan_linear(p_, n, q, l.self_attn.o_proj.type);
        }
        {
            const ScratchPlan::Scope residual(p_);
            p_.view(p_.n_threads, d);
        }
        const ScratchPlan::Scope ffn(p_);
        views(2, n, ff);
        PlannedInput h(n, d), gate(n, ff);
        h.linear(p_, {l.mlp.gate_proj.type, l.mlp.up_proj.type});
        if (g_.layers[i].sparsity_multiplier > 0) {  // small steps; counted for large ones too, so that more rows never plan for less
            p_.bytes(static_cast<uint64_t>(ff));                    // which gates are open
            p_.bytes(static_cast<uint64_t>(ff) * sizeof(int32_t));  // the list of them
            h.linear_rows(p_, l.mlp.up_proj.type);
        }
        gate.linear(p_, {l.mlp.down_proj.type});
    }

    void merge() {
        const ScratchPlan::Scope scope(p_);
        p_.view((g_.n_streams - 1) * s_.wanted, g_.hidden);
        for (const View& w : w_.altup_unembed_projections) plan_linear(p_, s_.wanted, g_.hidden, w.type);
    }

    void head() {
        p_.view(s_.wanted, g_.vocab);
        plan_linear(p_, s_.wanted, g_.hidden, w_.lm_head.type);
    }

    const Config& g_;
    const Weights& w_;
    const Slice& slice_;
    const StepShape& s_;
    ScratchPlan p_;
};

}  // namespace

uint64_t step_scratch_bytes(const Config& config, const Weights& weights, const Slice& slice, const StepShape& shape) {
    Plan plan(config, weights, slice, shape);
    return config.family == Family::gemma3 ? plan.gemma3() : plan.gemma3n();
}

}  // namespace gemma3n::model
