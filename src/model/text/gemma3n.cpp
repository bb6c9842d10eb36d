// Gemma 3n's text decoder: four AltUp streams, LAuReL beside attention, per-layer inputs, a cache shared by the upper layers. It runs a slice:
// kept layers, numbered as in the whole model, and views of their feed-forward.
#include "model/text/gemma3n.h"

#include "model/text/rows.h"

#include <algorithm>
#include <span>
#include <string>

namespace gemma3n::model {

namespace {

// What a layer reads and writes, for n running rows. A = streams, D = hidden.
struct State {
    View streams, predictions;   // [A * n, D]
    View h;                      // [n, D] normed input of the attention side, then of the feed-forward
    View q, k, v;                // [n, heads * head_dim]
    View laurel, attention, ffn; // [n, D]
    View y;                      // [n, D] the activated stream
    View per_layer;              // [n, m * P] for kept layers [per_layer_first, per_layer_first + m)
    int64_t per_layer_first = 0;

    State(Context& c, const Config& g, int64_t n)
        : streams(c.scratch.view(g.n_streams * n, g.hidden)), predictions(c.scratch.view(g.n_streams * n, g.hidden)),
          h(c.scratch.view(n, g.hidden)), q(c.scratch.view(n, g.n_heads * g.head_dim)), k(c.scratch.view(n, g.n_kv_heads * g.head_dim)),
          v(c.scratch.view(n, g.n_kv_heads * g.head_dim)), laurel(c.scratch.view(n, g.hidden)), attention(c.scratch.view(n, g.hidden)),
          ffn(c.scratch.view(n, g.hidden)), y(c.scratch.view(n, g.hidden)) {}
};

// One forward pass; a layer is read top to bottom.
class Pass {
public:
    Pass(Context& c, steps::Steps& s, const Config& g, const Weights& w, const Slice& slice, const Batch& batch, const ForwardOptions& o)
        : c_(c), s_(s), g_(g), w_(w), slice_(slice), batch_(batch), o_(o), rows_(c, g, slice, batch), state_(c, g, rows_.n()) {}

    Result<View> run() {
        embeds_ = embed_rows(c_, g_, w_, batch_);
        put(o_, "embeds", {rows_.n(), g_.hidden}, embeds_);
        s_.altup_expand(c_, {embeds_, w_.altup_projections, state_.streams});

        const bool narrows = o_.shortcut && static_cast<int64_t>(rows_.wanted().size()) < rows_.n();
        narrow_at_ = narrows ? last_kv_owner(g_, slice_) : -1;
        const auto n_kept = static_cast<int64_t>(slice_.layers.size());
        TRY(per_layer_inputs(0, narrows ? std::find(slice_.layers.begin(), slice_.layers.end(), narrow_at_) - slice_.layers.begin() : n_kept));
        if (!narrows) put(o_, "per_layer_inputs", {rows_.n(), n_kept, g_.per_layer_width}, state_.per_layer);

        for (int64_t kept = 0; kept < n_kept; kept++) {
            TRY(layer(kept, slice_.layers[static_cast<size_t>(kept)]));
            if (rows_.n() == 0) return View{};  // nobody wants logits: the caches are written, the rest is not needed
        }
        return head();
    }

private:
    // `kept` numbers the layers that run, `l` those of the model.
    Status layer(int64_t kept, int l) {
        const Gemma3nLayerWeights& w = w_.layers[l];
        const FfnWeights mlp = w.mlp.first(slice_.ff[static_cast<size_t>(kept)]);
        const steps::Router router{w.modality_router, w.router_norm, g_.norm_eps};
        s_.altup_predict(c_, {router, w.prediction_coefs, g_.active_stream, state_.streams, state_.predictions});
        s_.norm(c_, {active(), w.input_layernorm, g_.norm_eps, state_.h});

        if (l == narrow_at_) {  // every row leaves its keys and values; only the wanted rows go on
            qkv(l, false, true);
            TRY(narrow(kept));
            if (rows_.n() == 0) return {};
            qkv(l, true, false);
        } else {
            qkv(l, true, g_.owns_kv(l));
        }
        s_.laurel(c_, {state_.h, w.laurel_left, w.laurel_right, w.post_laurel_norm, g_.norm_eps, state_.laurel});
        s_.attention(c_, {attention_shape(g_, l), rows_.step_rows(), rows_.pages(l), state_.q, w.self_attn.o_proj, state_.attention});
        s_.residual_join(c_, {active(), state_.attention, w.post_attention_layernorm, state_.laurel, g_.norm_eps, state_.y});

        s_.norm(c_, {state_.y, w.pre_feedforward_layernorm, g_.norm_eps, state_.h});
        s_.gated_ffn(c_, {state_.h, mlp.gate_proj, mlp.up_proj, mlp.down_proj, g_.layers[l].sparsity_multiplier, state_.ffn});
        s_.residual_add(c_, {state_.y, state_.ffn, w.post_feedforward_layernorm, g_.norm_eps, state_.y});

        s_.altup_correct(c_, {router, w.correction_coefs, g_.active_stream, state_.y, state_.predictions});
        s_.per_layer_inject(c_, {w.correct_output_scale, w.per_layer_input_gate, w.per_layer_projection, w.post_per_layer_input_norm,
                                 g_.norm_eps, g_.active_stream,
                                 state_.per_layer.cols((kept - state_.per_layer_first) * g_.per_layer_width, g_.per_layer_width),
                                 state_.predictions});
        std::swap(state_.streams, state_.predictions);
        put(o_, "layers." + std::to_string(l) + ".streams", {g_.n_streams, rows_.n(), g_.hidden}, state_.streams);
        return {};
    }

    View active() const { return state_.predictions.rows(g_.active_stream * rows_.n(), rows_.n()); }

    void qkv(int l, bool queries, bool keys) {
        const AttentionWeights& w = w_.layers[l].self_attn;
        s_.qkv(c_, {state_.h, queries ? w.q_proj : View{}, keys ? w.k_proj : View{}, keys ? w.v_proj : View{}, w.q_norm, w.k_norm, true,
                    g_.n_heads, g_.n_kv_heads, g_.head_dim, g_.norm_eps, rows_.rope(l), rows_.step_rows(), rows_.pages(l), state_.q,
                    state_.k, state_.v});
        if (!keys) return;
        put(o_, "layers." + std::to_string(l) + ".k", {rows_.n(), g_.n_kv_heads, g_.head_dim}, state_.k);
        put(o_, "layers." + std::to_string(l) + ".v", {rows_.n(), g_.n_kv_heads, g_.head_dim}, state_.v);
    }

    // Per-layer inputs of the running rows for kept layers [first, end), from e and the table's rows.
    Status per_layer_inputs(int64_t first, int64_t end) {
        const int64_t p = g_.per_layer_width, m = end - first, n = rows_.n();
        state_.per_layer = c_.scratch.view(n, m * p);
        state_.per_layer_first = first;
        const Arena::Scope scope(c_.scratch);
        std::vector<int64_t> table_rows(n);
        for (int64_t i = 0; i < n; i++) {
            const Row& row = batch_.rows[n == static_cast<int64_t>(batch_.rows.size()) ? i : rows_.wanted()[i]];
            table_rows[i] = row.embedding || row.id >= g_.per_layer_vocab ? 0 : row.id;
        }
        for (const LayerRun& run : runs(std::span(slice_.layers).subspan(static_cast<size_t>(first), static_cast<size_t>(m)))) {
            const Arena::Scope of_run(c_.scratch);
            const View table = c_.scratch.view(n, run.n * p);
            TRY(read_rows(c_, w_.embed_tokens_per_layer, table_rows, run.layer * p, table));
            s_.per_layer_inputs(c_, {embeds_, table, w_.per_layer_model_projection.rows(run.layer * p, run.n * p), w_.per_layer_projection_norm,
                                     g_.norm_eps, state_.per_layer.cols(run.kept * p, run.n * p)});
        }
        return {};
    }

    // Inside a layer, after its keys and values: rows whose logits nobody wants end here.
    Status narrow(int64_t kept) {
        const State before = state_;
        rows_.narrow();
        if (rows_.n() == 0) return {};
        state_ = State(c_, g_, rows_.n());
        state_.predictions = rows_.narrowed(before.predictions, g_.n_streams);
        state_.h = rows_.narrowed(before.h, 1);
        embeds_ = rows_.narrowed(embeds_, 1);
        return per_layer_inputs(kept, static_cast<int64_t>(slice_.layers.size()));
    }

    Result<View> head() {
        const View merged = state_.h;
        s_.altup_merge(c_, {state_.streams, w_.altup_unembed_projections, merged});
        View hidden = merged;
        if (static_cast<int64_t>(rows_.wanted().size()) < rows_.n()) hidden = rows_.narrowed(merged, 1);  // shortcut off
        if (hidden.n_rows == 0) return View{};
        const View logits = c_.scratch.view(hidden.n_rows, g_.vocab);
        s_.head(c_, {hidden, w_.norm, g_.norm_eps, w_.lm_head, o_.cap_logits ? g_.final_softcap : 0, logits});
        put(o_, "hidden", {hidden.n_rows, g_.hidden}, hidden);
        put(o_, "logits", {hidden.n_rows, g_.vocab}, logits);
        return logits;
    }

    Context& c_;
    steps::Steps& s_;
    const Config& g_;
    const Weights& w_;
    const Slice& slice_;
    const Batch& batch_;
    const ForwardOptions& o_;
    Rows rows_;
    State state_;
    View embeds_;           // [n, D]
    int narrow_at_ = -1;    // the layer inside which unwanted rows end; -1 = none do
};

}  // namespace

Result<View> Gemma3nDecoder::forward(Context& c, steps::Steps& s, const Batch& batch, const ForwardOptions& o) const {
    return Pass(c, s, config_, weights_, batch.slice ? *batch.slice : whole_, batch, o).run();
}

}  // namespace gemma3n::model
