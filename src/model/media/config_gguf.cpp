// The towers' numbers from a projector file: "clip.vision.image_size" is stock; the others are keys of our own (docs/models.md), because
// the stock ones cannot say them or, as clip.audio.attention.layer_norm_epsilon, say something else than the model was made with.
#include "model/gguf_keys.h"
#include "model/media/config_sources.h"

namespace gemma3n::model {

namespace {

// Rows of the table of marks, where the file has it.
int64_t rows_or(const format::Checkpoint& c, const char* name, int64_t otherwise) {
    const format::TensorInfo* t = c.find(name);
    return t ? t->rows : otherwise;
}

Status read_vision(const format::Checkpoint& c, VisionConfig& v) {
    ASSIGN(v.side, Keys(c, "clip.vision.").count_or("image_size", v.side));
    const Keys keys(c, "gemma3n.vision.");
    ASSIGN(v.n_tokens, keys.count_or("soft_tokens", v.n_tokens));
    ASSIGN(v.eps, keys.real("layer_norm_rms_epsilon", v.eps));
    ASSIGN(v.vocab_offset, keys.count_or("vocab_offset", v.vocab_offset));
    v.vocab = rows_or(c, "embed_vision.embedding.weight", v.vocab);
    return {};
}

Status read_audio(const format::Checkpoint& c, AudioConfig& a) {
    ASSIGN(a.n_heads, Keys(c, "clip.audio.").count_or("attention.head_count", a.n_heads));
    const Keys keys(c, "gemma3n.audio.");
    ASSIGN(a.n_tokens, keys.count_or("soft_tokens", a.n_tokens));
    ASSIGN(a.reduction, keys.count_or("reduction_factor", a.reduction));
    ASSIGN(a.chunk, keys.count_or("attention.chunk_size", a.chunk));
    ASSIGN(a.context_left, keys.count_or("attention.context_left", a.context_left));
    ASSIGN(a.context_right, keys.count_or("attention.context_right", a.context_right));
    ASSIGN(a.logit_cap, keys.real("attention.logit_cap", a.logit_cap));
    ASSIGN(a.residual_weight, keys.real("residual_weight", a.residual_weight));
    ASSIGN(a.eps, keys.real("layer_norm_rms_epsilon", a.eps));
    ASSIGN(a.group_norm_eps, keys.real("group_norm_epsilon", a.group_norm_eps));
    ASSIGN(a.gradient_clipping, keys.real("gradient_clipping", a.gradient_clipping));
    ASSIGN(a.vocab_offset, keys.count_or("vocab_offset", a.vocab_offset));
    a.vocab = rows_or(c, "embed_audio.embedding.weight", a.vocab);
    return {};
}

}  // namespace

Status media_config_from_gguf(const format::Checkpoint& c, MediaConfig& m) {
    TRY(read_vision(c, m.vision));
    TRY(read_audio(c, m.audio));
    struct Id {
        const char* name;
        int* id;
    };
    const Keys keys(c, "gemma3n.token.");
    for (const Id& i : {Id{"begin_image", &m.ids.begin_image}, {"image", &m.ids.image}, {"end_image", &m.ids.end_image}, {"begin_audio", &m.ids.begin_audio},
                        {"audio", &m.ids.audio}, {"end_audio", &m.ids.end_audio}}) {
        ASSIGN(const int64_t v, keys.count_or(i.name, *i.id));
        if (v < 0 || v > (1 << 30)) return fail(Code::bad_file, "%s: metadata key 'gemma3n.token.%s' is %lld: expected a token id", c.path().c_str(), i.name, static_cast<long long>(v));
        *i.id = static_cast<int>(v);
    }
    return {};
}

}  // namespace gemma3n::model
