// What config.json and the processor's files say about towers.
#include "base/result.h"
#include "synth/config_json.h"
#include "synth/json_fields.h"

namespace gemma3n::synth {

namespace {

std::string ratio(int64_t middle, int64_t in) { return text("%.9g", static_cast<double>(middle) / static_cast<double>(in)); }

// A block as timm's decoded architecture has it.
std::string block_json(const VisionBlock& b, int64_t in) {
    Fields f(6);
    switch (b.kind) {
        case BlockKind::edge_residual: f.string("block_type", "er").number("exp_kernel_size", 3).number("pw_kernel_size", 1).raw("exp_ratio", ratio(b.middle, in)).number("force_in_chs", 0); break;
        case BlockKind::inverted_bottleneck:
            f.string("block_type", "uir").number("dw_kernel_size_start", b.dw_start).number("dw_kernel_size_mid", b.dw_mid).number("dw_kernel_size_end", 0).raw("exp_ratio", ratio(b.middle, in));
            break;
        case BlockKind::attention:
            f.string("block_type", "mqa").number("dw_kernel_size", 3).number("num_heads", b.heads).number("key_dim", b.head_dim).number("value_dim", b.head_dim).number("kv_stride", b.kv_stride);
            break;
    }
    if (b.kind != BlockKind::attention) f.raw("se_ratio", "0.0");
    return f.number("out_chs", b.out).number("stride", b.stride).raw("act_layer", "null").raw("noskip", "false").object();
}

std::string model_args_json(const VisionShape& v) {
    std::string stages;
    int64_t channels = v.stem;
    for (const auto& stage : v.stages) {
        std::string blocks;
        for (const VisionBlock& b : stage) {
            blocks += (blocks.empty() ? "" : ", ") + block_json(b, channels);
            channels = b.out;
        }
        stages += (stages.empty() ? "[" : ", [") + blocks + "]";
    }
    return Fields(6).raw("block_args", "[" + stages + "]").number("stem_size", v.stem).object();
}

int64_t marks(const Shape& s) { return (s.vocab - s.text_vocab) / 2; }

}  // namespace

std::string vision_config_json(const Shape& s) {
    const VisionShape& v = *s.vision;
    Fields f(4);
    f.string("model_type", "gemma3n_vision").string("architecture", "mobilenetv5_300m_enc").number("hidden_size", v.width).raw("do_pooling", "false");
    f.number("vocab_size", marks(s)).number("vocab_offset", media_ids(s).end_image).raw("rms_norm_eps", "1e-06");
    return f.raw("model_args", v.published ? "null" : model_args_json(v)).object();
}

std::string audio_config_json(const Shape& s) {
    const AudioShape& a = *s.audio;
    Fields f(4);
    f.string("model_type", "gemma3n_audio").number("hidden_size", a.width).number("conf_num_hidden_layers", a.n_layers).number("conf_num_attention_heads", a.n_heads);
    f.number("input_feat_size", 128).number("conf_attention_chunk_size", 12).number("conf_attention_context_left", 13).number("conf_attention_context_right", 0);
    f.raw("conf_attention_logit_cap", "50.0").number("conf_conv_kernel_size", 5).number("conf_reduction_factor", a.reduction).raw("conf_residual_weight", "0.5");
    f.raw("sscp_conv_channel_size", text("[%lld, %lld]", static_cast<long long>(a.channels[0]), static_cast<long long>(a.channels[1])));
    f.raw("sscp_conv_kernel_size", "[[3, 3], [3, 3]]").raw("sscp_conv_stride_size", "[[2, 2], [2, 2]]").raw("sscp_conv_group_norm_eps", "0.001");
    f.raw("gradient_clipping", "10000000000.0").raw("rms_norm_eps", "1e-06");
    return f.number("vocab_size", marks(s)).number("vocab_offset", media_ids(s).end_audio).object();
}

std::string preprocessor_config_json(const Shape& s) {
    Fields f(2);
    f.string("image_processor_type", "SiglipImageProcessorFast").raw("do_resize", "true").raw("do_rescale", "true").raw("do_normalize", "false").number("resample", 2);
    f.raw("rescale_factor", "0.00392156862745098").raw("size", Fields(4).number("height", s.vision->side).number("width", s.vision->side).object());
    f.number("image_seq_length", s.vision->soft_tokens).raw("image_mean", "[0.5, 0.5, 0.5]").raw("image_std", "[0.5, 0.5, 0.5]");
    f.string("feature_extractor_type", "Gemma3nAudioFeatureExtractor").number("feature_size", 128).number("sampling_rate", 16000).number("frame_length", 512).number("hop_length", 160);
    f.number("fft_length", 1024).raw("fft_overdrive", "true").raw("min_frequency", "125.0").raw("max_frequency", "7600.0").raw("preemphasis", "0.97").raw("preemphasis_htk_flavor", "true");
    f.raw("mel_floor", "1e-05").raw("dither", "0.0").raw("input_scale_factor", "1.0").raw("padding_value", "0.0").string("padding_side", "right");
    f.raw("per_bin_mean", "null").raw("per_bin_stddev", "null").raw("return_attention_mask", "true");
    return f.object() + "\n";
}

std::string processor_config_json(const Shape& s) {
    return Fields(2).string("processor_class", "Gemma3nProcessor").number("image_seq_length", s.vision->soft_tokens).number("audio_seq_length", s.audio->soft_tokens).object() + "\n";
}

}  // namespace gemma3n::synth
