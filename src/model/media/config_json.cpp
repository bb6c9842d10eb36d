// The towers' numbers from config.json (vision_config, audio_config, ids at its top), and what the processor does to a picture and a
// sound from preprocessor_config.json, or processor_config.json as newer programs write it. What the towers or the decoders here cannot do
// otherwise is refused when it is asked for otherwise.
#include "model/json_object.h"
#include "model/media/config_sources.h"

#include <cmath>

namespace gemma3n::model {

namespace {

Error another(const Object& o, const char* name, const char* expected) { return fail(Code::unsupported, "%s: '%s' has another value than the published %s", o.path().c_str(), name, expected); }

Status fixed_number(const Object& o, const char* name, double published, const char* shown_as) {
    ASSIGN(const float v, o.real_or(name, published));
    if (std::fabs(static_cast<double>(v) - published) <= 1e-6 * std::fabs(published)) return {};
    return another(o, name, shown_as);
}

Status fixed_switch(const Object& o, const char* name, bool published) {
    bool v = published;
    const auto e = o.find(name);
    if (!e || (!e->get(v) && v == published)) return {};
    return another(o, name, published ? "true" : "false");
}

// A list of pairs, all of them `published`.
Status fixed_pairs(const Object& o, const char* name, int64_t published, const char* shown_as) {
    const auto e = o.find(name);
    if (!e) return {};
    simdjson::dom::array layers;
    if (e->get(layers)) return another(o, name, shown_as);
    for (const auto layer : layers) {
        simdjson::dom::array pair;
        if (layer.get(pair) || pair.size() != 2) return another(o, name, shown_as);
        for (const auto side : pair) {
            int64_t v;
            if (side.get(v) || v != published) return another(o, name, shown_as);
        }
    }
    return {};
}

Status read_vision(const Object& top, VisionConfig& v) {
    ASSIGN(v.n_tokens, top.count_or("vision_soft_tokens_per_image", v.n_tokens));
    const auto o = top.object("vision_config");
    if (!o) return {};
    const std::string architecture = o->string_or("architecture", "mobilenetv5_300m_enc");
    if (!architecture.starts_with("mobilenetv5")) {
        return fail(Code::unsupported, "%s: 'architecture' is '%s': expected mobilenetv5_300m_enc", o->path().c_str(), shown(architecture).c_str());
    }
    TRY(fixed_switch(*o, "do_pooling", false));
    ASSIGN(v.eps, o->real_or("rms_norm_eps", v.eps));
    ASSIGN(v.vocab_offset, o->count_or("vocab_offset", v.vocab_offset));
    ASSIGN(v.vocab, o->count_or("vocab_size", v.vocab));
    return {};
}

Status read_audio(const Object& top, AudioConfig& a) {
    ASSIGN(a.n_tokens, top.count_or("audio_soft_tokens_per_image", a.n_tokens));  // per clip; the name is the file's
    const auto o = top.object("audio_config");
    if (!o) return {};
    TRY(fixed_number(*o, "input_feat_size", 128, "128"));
    TRY(fixed_pairs(*o, "sscp_conv_kernel_size", 3, "3 x 3"));
    TRY(fixed_pairs(*o, "sscp_conv_stride_size", 2, "2 x 2"));
    ASSIGN(a.reduction, o->count_or("conf_reduction_factor", a.reduction));
    ASSIGN(a.n_heads, o->count_or("conf_num_attention_heads", a.n_heads));
    ASSIGN(a.chunk, o->count_or("conf_attention_chunk_size", a.chunk));
    ASSIGN(a.context_left, o->count_or("conf_attention_context_left", a.context_left));
    ASSIGN(a.context_right, o->count_or("conf_attention_context_right", a.context_right));
    ASSIGN(a.logit_cap, o->real_or("conf_attention_logit_cap", a.logit_cap));
    ASSIGN(a.residual_weight, o->real_or("conf_residual_weight", a.residual_weight));
    ASSIGN(a.eps, o->real_or("rms_norm_eps", a.eps));
    ASSIGN(a.group_norm_eps, o->real_or("sscp_conv_group_norm_eps", a.group_norm_eps));
    ASSIGN(a.gradient_clipping, o->real_or("gradient_clipping", a.gradient_clipping));
    ASSIGN(a.vocab_offset, o->count_or("vocab_offset", a.vocab_offset));
    ASSIGN(a.vocab, o->count_or("vocab_size", a.vocab));
    return {};
}

Status read_ids(const Object& top, MediaIds& ids) {
    struct Id {
        const char* name;
        int* id;
    };
    for (const Id& i : {Id{"boi_token_id", &ids.begin_image}, {"image_token_id", &ids.image}, {"eoi_token_id", &ids.end_image}, {"boa_token_id", &ids.begin_audio},
                        {"audio_token_id", &ids.audio}, {"eoa_token_id", &ids.end_audio}}) {
        ASSIGN(const int64_t v, top.count_or(i.name, *i.id));
        if (v < 0 || v > (1 << 30)) return fail(Code::bad_file, "%s: '%s' is %lld: expected a token id", top.path().c_str(), i.name, static_cast<long long>(v));
        *i.id = static_cast<int>(v);
    }
    return {};
}

Status read_image_processor(const Object& o, VisionConfig& v) {
    TRY(fixed_switch(o, "do_resize", true));
    TRY(fixed_switch(o, "do_rescale", true));
    TRY(fixed_switch(o, "do_normalize", false));
    TRY(fixed_number(o, "resample", 2, "2, bilinear"));
    TRY(fixed_number(o, "rescale_factor", 1 / 255.0, "1/255"));
    const auto size = o.object("size");
    if (!size) return {};
    ASSIGN(v.side, size->count_or("height", v.side));
    ASSIGN(const int64_t width, size->count_or("width", v.side));
    if (width == v.side) return {};
    return fail(Code::unsupported, "%s: %lld x %lld: expected a square", size->path().c_str(), static_cast<long long>(v.side), static_cast<long long>(width));
}

Status check_feature_extractor(const Object& o) {
    struct Number {
        const char* name;
        double value;
        const char* shown_as;
    };
    for (const Number& n : {Number{"feature_size", 128, "128"}, {"sampling_rate", 16000, "16000"}, {"frame_length", 512, "512"}, {"hop_length", 160, "160"}, {"fft_length", 1024, "1024"},
                            {"min_frequency", 125, "125"}, {"max_frequency", 7600, "7600"}, {"preemphasis", 0.97, "0.97"}, {"mel_floor", 1e-5, "1e-5"}, {"dither", 0, "0"},
                            {"input_scale_factor", 1, "1"}}) {
        TRY(fixed_number(o, n.name, n.value, n.shown_as));
    }
    TRY(fixed_switch(o, "preemphasis_htk_flavor", true));
    for (const char* name : {"per_bin_mean", "per_bin_stddev"})
        if (o.find(name)) return another(o, name, "null");
    return {};
}

// One object for both in preprocessor_config.json, one each in processor_config.json.
Status read_processor(const format::Checkpoint& c, const char* file, MediaConfig& m) {
    const auto json = c.side_file(file);
    if (!json) return json.error().code == Code::not_found ? Status() : Status(json.error());
    simdjson::dom::parser parser;
    ASSIGN(const Object top, parse_object(parser, *json, c.path() + "/" + file));
    TRY(read_image_processor(top.object("image_processor").value_or(top), m.vision));
    return check_feature_extractor(top.object("feature_extractor").value_or(top));
}

}  // namespace

Status media_config_from_json(const format::Checkpoint& towers, MediaConfig& m) {
    simdjson::dom::parser parser;
    ASSIGN(const Object top, parse_object(parser, towers.config_json(), towers.path() + "/config.json"));
    TRY(read_vision(top, m.vision));
    TRY(read_audio(top, m.audio));
    TRY(read_ids(top, m.ids));
    for (const char* file : {"processor_config.json", "preprocessor_config.json"}) TRY(read_processor(towers, file, m));
    return {};
}

}  // namespace gemma3n::model
