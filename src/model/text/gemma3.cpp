#include "model/text/gemma3.h"

#include "model/text/rows.h"

#include <cmath>
#include <string>

namespace gemma3n::model {

namespace {

class Pass {
public:
    Pass(Context& c, steps::Steps& s, const Config& g, const Weights& w, const Slice& slice, const Batch& batch, const ForwardOptions& o)
        : c_(c), s_(s), g_(g), w_(w), slice_(slice), o_(o), rows_(c, g, slice, batch), x_(embed_rows(c, g, w, batch)) {
        const int64_t n = rows_.n();
        h_ = c.scratch.view(n, g.hidden);
        branch_ = c.scratch.view(n, g.hidden);
        q_ = c.scratch.view(n, g.n_heads * g.head_dim);
        k_ = c.scratch.view(n, g.n_kv_heads * g.head_dim);
        v_ = c.scratch.view(n, g.n_kv_heads * g.head_dim);
    }

    Result<View> run() {
        put(o_, "embeds", {rows_.n(), g_.hidden}, x_);
        const bool narrows = o_.shortcut && static_cast<int64_t>(rows_.wanted().size()) < rows_.n();
        for (size_t kept = 0; kept < slice_.layers.size(); kept++) {
            const int l = slice_.layers[kept];
            layer(l, slice_.ff[kept], narrows && l == last_kv_owner(g_, slice_));
            if (rows_.n() == 0) return View{};
        }
        return head();
    }

private:
    void layer(int l, int64_t width, bool narrow_here) {
        const Gemma3LayerWeights& w = w_.gemma3_layers[l];
        const FfnWeights mlp = w.mlp.first(width);
        s_.norm(c_, {x_, w.input_layernorm, g_.norm_eps, h_});
        if (narrow_here) {  // the last layer: only its keys and values are needed of rows whose logits nobody wants
            qkv(l, false, true);
            narrow();
            if (rows_.n() == 0) return;
            qkv(l, true, false);
        } else {
            qkv(l, true, true);
        }
        s_.attention(c_, {attention_shape(g_, l), rows_.step_rows(), rows_.pages(l), q_, w.self_attn.o_proj, branch_});
        s_.residual_add(c_, {x_, branch_, w.post_attention_layernorm, g_.norm_eps, x_});
        s_.norm(c_, {x_, w.pre_feedforward_layernorm, g_.norm_eps, h_});
        s_.gated_ffn(c_, {h_, mlp.gate_proj, mlp.up_proj, mlp.down_proj, -INFINITY, branch_});
        s_.residual_add(c_, {x_, branch_, w.post_feedforward_layernorm, g_.norm_eps, x_});
        put(o_, "layers." + std::to_string(l) + ".streams", {1, rows_.n(), g_.hidden}, x_);
    }

    void qkv(int l, bool queries, bool keys) {
        const AttentionWeights& w = w_.gemma3_layers[l].self_attn;
        s_.qkv(c_, {h_, queries ? w.q_proj : View{}, keys ? w.k_proj : View{}, keys ? w.v_proj : View{}, w.q_norm, w.k_norm, false,
                    g_.n_heads, g_.n_kv_heads, g_.head_dim, g_.norm_eps, rows_.rope(l), rows_.step_rows(), rows_.pages(l), q_, k_, v_});
        if (!keys) return;
        put(o_, "layers." + std::to_string(l) + ".k", {rows_.n(), g_.n_kv_heads, g_.head_dim}, k_);
        put(o_, "layers." + std::to_string(l) + ".v", {rows_.n(), g_.n_kv_heads, g_.head_dim}, v_);
    }

    void narrow() {
        rows_.narrow();
        x_ = rows_.narrowed(x_, 1);
        h_ = rows_.narrowed(h_, 1);
        branch_ = branch_.rows(0, rows_.n());
        q_ = q_.rows(0, rows_.n());
    }

    Result<View> head() {
        View hidden = x_;
        if (static_cast<int64_t>(rows_.wanted().size()) < rows_.n()) hidden = rows_.narrowed(x_, 1);  // shortcut off
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
    const ForwardOptions& o_;
    Rows rows_;
    View x_, h_, branch_;  // [n, hidden]
    View q_, k_, v_;       // [n, heads * head_dim]
};

}  // namespace

Result<View> Gemma3Decoder::forward(Context& c, steps::Steps& s, const Batch& batch, const ForwardOptions& o) const {
    return Pass(c, s, config_, weights_, batch.slice ? *batch.slice : whole_, batch, o).run();
}

}  // namespace gemma3n::model
