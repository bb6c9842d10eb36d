#include "synth/towers.h"

#include "synth/tower_shape.h"
#include "synth/vocabulary.h"

#include <cmath>

namespace gemma3n::synth {

namespace {

class List {
public:
    void vision(const Shape& s, const VisionShape& v) {
        const std::string at = "vision_tower.timm_model.";
        convolution(at + "conv_stem.conv.weight", v.stem, 3, 3);
        out_.push_back({at + "conv_stem.conv.bias", {v.stem}, 0.1, 0, true});
        norm(at + "conv_stem.bn.weight", v.stem);
        int64_t channels = v.stem, of_stage[4];
        for (int stage = 0; stage < 4; stage++) {
            int index = 0;
            for (const VisionBlock& b : v.stages[stage]) {
                block(at + "blocks." + std::to_string(stage) + "." + std::to_string(index++) + ".", b, channels);
                channels = b.out;
            }
            of_stage[stage] = channels;
        }
        with_norm(at + "msfa.ffn.pw_exp", v.fusion, of_stage[2] + of_stage[3], 1);
        with_norm(at + "msfa.ffn.pw_proj", v.width, v.fusion, 1);
        norm(at + "msfa.norm.weight", v.width);
        embedder("embed_vision.", s, v.width);
    }

    void audio(const Shape& s, const AudioShape& a) {
        const std::string at = "audio_tower.";
        constexpr int64_t mel_bins = 128;
        int64_t in = 1;
        for (int i = 0; i < 2; i++) {
            const std::string conv = at + "subsample_conv_projection.conv_" + std::to_string(i);
            convolution(conv + ".conv.weight", a.channels[i], in, 3);
            norm(conv + ".norm.weight", a.channels[i]);
            in = a.channels[i];
        }
        matrix(at + "subsample_conv_projection.input_proj_linear.weight", a.width, in * mel_bins / 4);
        for (int64_t l = 0; l < a.n_layers; l++) conformer(at + "conformer." + std::to_string(l) + ".", a);
        embedder("embed_audio.", s, a.width);
    }

    std::vector<Tensor> take() { return std::move(out_); }

private:
    void norm(const std::string& name, int64_t n) { out_.push_back({name, {n}}); }
    void matrix(const std::string& name, int64_t rows, int64_t cols) { out_.push_back({name, {rows, cols}, 1 / std::sqrt(static_cast<double>(cols))}); }
    void convolution(const std::string& name, int64_t out, int64_t in, int64_t kernel) {
        out_.push_back({name, {out, in, kernel, kernel}, 1 / std::sqrt(static_cast<double>(in * kernel * kernel))});
    }
    void with_norm(const std::string& at, int64_t out, int64_t in, int64_t kernel) {
        convolution(at + ".conv.weight", out, in, kernel);
        norm(at + ".bn.weight", out);
    }
    void layer_scale(const std::string& at, int64_t n) { out_.push_back({at + "layer_scale.gamma", {n}, 0.5}); }

    void block(const std::string& at, const VisionBlock& b, int64_t in) {
        switch (b.kind) {
            case BlockKind::edge_residual:
                convolution(at + "conv_exp.weight", b.middle, in, 3);
                norm(at + "bn1.weight", b.middle);
                convolution(at + "conv_pwl.weight", b.out, b.middle, 1);
                norm(at + "bn2.weight", b.out);
                return;
            case BlockKind::inverted_bottleneck:
                if (b.dw_start > 0) with_norm(at + "dw_start", in, 1, b.dw_start);
                with_norm(at + "pw_exp", b.middle, in, 1);
                if (b.dw_mid > 0) with_norm(at + "dw_mid", b.middle, 1, b.dw_mid);
                with_norm(at + "pw_proj", b.out, b.middle, 1);
                return layer_scale(at, b.out);
            case BlockKind::attention:
                norm(at + "norm.weight", in);
                convolution(at + "attn.query.proj.weight", b.heads * b.head_dim, in, 1);
                for (const char* part : {"attn.key.", "attn.value."}) {
                    if (b.kv_stride > 1) {
                        convolution(at + part + "down_conv.weight", in, 1, 3);
                        norm(at + part + "norm.weight", in);
                    }
                    convolution(at + part + "proj.weight", b.head_dim, in, 1);
                }
                convolution(at + "attn.output.proj.weight", in, b.heads * b.head_dim, 1);
                return layer_scale(at, in);
        }
    }

    void feed_forward(const std::string& at, int64_t d) {
        norm(at + "pre_layer_norm.weight", d);
        matrix(at + "ffw_layer_1.weight", 4 * d, d);
        matrix(at + "ffw_layer_2.weight", d, 4 * d);
        norm(at + "post_layer_norm.weight", d);
    }

    void conformer(const std::string& at, const AudioShape& a) {
        const int64_t d = a.width;
        feed_forward(at + "ffw_layer_start.", d);
        norm(at + "attention.pre_attn_norm.weight", d);
        for (const char* name : {"q_proj", "k_proj", "v_proj", "relative_position_embedding.pos_proj"}) matrix(at + "attention.attn." + name + ".weight", d, d);
        out_.push_back({at + "attention.attn.per_dim_scale", {d / a.n_heads}, 0.4, 0, true});
        matrix(at + "attention.post.weight", d, d);
        norm(at + "attention.post_norm.weight", d);
        norm(at + "lconv1d.pre_layer_norm.weight", d);
        matrix(at + "lconv1d.linear_start.weight", 2 * d, d);
        constexpr int64_t kernel = 5;
        out_.push_back({at + "lconv1d.depthwise_conv1d.weight", {d, 1, kernel}, 1 / std::sqrt(static_cast<double>(kernel))});
        norm(at + "lconv1d.conv_norm.weight", d);
        matrix(at + "lconv1d.linear_end.weight", d, d);
        feed_forward(at + "ffw_layer_end.", d);
        norm(at + "norm.weight", d);
    }

    void embedder(const std::string& at, const Shape& s, int64_t width) {
        out_.push_back({at + "embedding.weight", {(s.vocab - s.text_vocab) / 2, width}, 0.6});
        norm(at + "hard_embedding_norm.weight", width);
        norm(at + "soft_embedding_norm.weight", width);
        matrix(at + "embedding_projection.weight", s.hidden, width);
    }

    std::vector<Tensor> out_;
};

}  // namespace

std::vector<Tensor> tower_tensors(const Shape& s) {
    List list;
    if (s.vision) list.vision(s, *s.vision);
    if (s.audio) list.audio(s, *s.audio);
    return list.take();
}

format::ProjectorKeys projector_keys(const Shape& s, format::Mix mix) {
    format::ProjectorKeys k;
    k.name = "synthetic " + std::string(s.title);
    k.mix = mix;
    k.hidden = s.hidden;
    const MediaIds ids = media_ids(s);
    constexpr float eps = 1e-6f;
    if (s.vision) k.vision = {.here = true, .width = s.vision->width, .side = s.vision->side, .soft_tokens = s.vision->soft_tokens, .vocab_offset = ids.end_image, .eps = eps};
    if (s.audio) {
        const AudioShape& a = *s.audio;
        k.audio = {.here = true, .width = a.width, .layers = a.n_layers, .heads = a.n_heads, .ff = 4 * a.width, .soft_tokens = a.soft_tokens, .reduction = a.reduction,
                   .chunk = 12, .context_left = 13, .context_right = 0, .vocab_offset = ids.end_audio, .logit_cap = 50, .residual_weight = 0.5f, .eps = eps,
                   .group_norm_eps = 1e-3f, .gradient_clipping = 1e10f};
    }
    k.image = ids.image;
    k.end_image = ids.end_image;
    k.audio_token = ids.audio;
    k.end_audio = ids.end_audio;
    k.begin_image = ids.begin_image;
    k.begin_audio = ids.begin_audio;
    return k;
}

}  // namespace gemma3n::synth
