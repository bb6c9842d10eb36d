#include "model/media/config.h"

#include "format/names.h"
#include "format/projector.h"
#include "model/media/config_sources.h"

#include <cmath>

namespace gemma3n::model {

namespace {

class Checks {
public:
    explicit Checks(const std::string& path) : path_(path) {}

    Status in_range(const char* what, int64_t v, int64_t low, int64_t high) const {
        if (v >= low && v <= high) return {};
        return fail(Code::bad_file, "%s: %s is %lld: expected %lld to %lld", path_.c_str(), what, static_cast<long long>(v), static_cast<long long>(low), static_cast<long long>(high));
    }
    Status positive(const char* what, float v) const {
        if (std::isfinite(v) && v > 0) return {};
        return fail(Code::bad_file, "%s: %s is %g: expected a positive number", path_.c_str(), what, static_cast<double>(v));
    }
    // The table of marks has the rows that ids name.
    Status table(const format::Checkpoint& c, const char* name, const char* what, int64_t offset, int64_t vocab) const {
        TRY(in_range((std::string("the first id of ") + what).c_str(), offset, 0, max_id));
        TRY(in_range((std::string("the number of marks of ") + what).c_str(), vocab, 1, 1 << 20));
        const format::TensorInfo* t = c.find(name);
        if (!t || t->rows >= vocab) return {};
        return fail(Code::bad_file, "%s: tensor '%s' has %lld rows: expected %lld, one for every mark of %s", path_.c_str(), t->stored_name.c_str(), static_cast<long long>(t->rows),
                    static_cast<long long>(vocab), what);
    }
    Status id(const char* what, int v) const { return in_range(what, v, 0, max_id); }

    static constexpr int64_t max_id = 1 << 30;

private:
    const std::string& path_;
};

Status check_vision(const format::Checkpoint& c, const VisionConfig& v, const Checks& check) {
    TRY(check.in_range("the side of a picture", v.side, 32, 4096));
    TRY(check.in_range("the number of soft tokens of a picture", v.n_tokens, 1, 1 << 16));
    const int64_t side = std::llround(std::sqrt(static_cast<double>(v.n_tokens)));
    if (side * side != v.n_tokens) {
        return fail(Code::bad_file, "%s: a picture has %lld soft tokens: expected a square number, as 256", c.path().c_str(), static_cast<long long>(v.n_tokens));
    }
    TRY(check.positive("the norm epsilon of vision", v.eps));
    return check.table(c, "embed_vision.embedding.weight", "vision", v.vocab_offset, v.vocab);
}

Status check_audio(const format::Checkpoint& c, const AudioConfig& a, const Checks& check) {
    TRY(check.in_range("the number of soft tokens of a clip", a.n_tokens, 1, 1 << 16));
    TRY(check.in_range("the reduction of audio frames", a.reduction, 1, 64));
    TRY(check.in_range("the number of audio attention heads", a.n_heads, 1, 4096));
    TRY(check.in_range("the chunk of audio attention", a.chunk, 1, 1 << 20));
    TRY(check.in_range("the left context of audio attention", a.context_left, 1, 1 << 16));
    if (a.context_right != 0) {
        return fail(Code::unsupported, "%s: the right context of audio attention is %lld: expected 0, frames that see no later ones", c.path().c_str(), static_cast<long long>(a.context_right));
    }
    TRY(check.positive("the cap of audio attention scores", a.logit_cap));
    TRY(check.positive("the residual weight of audio feed-forwards", a.residual_weight));
    TRY(check.positive("the norm epsilon of audio", a.eps));
    TRY(check.positive("the group norm epsilon of audio", a.group_norm_eps));
    TRY(check.positive("the gradient clipping of audio", a.gradient_clipping));
    return check.table(c, "embed_audio.embedding.weight", "audio", a.vocab_offset, a.vocab);
}

Status check_ids(const MediaConfig& m, const Config& text, const std::string& path, const Checks& check) {
    const MediaIds& i = m.ids;
    for (const auto& [what, id] : {std::pair{"the id that begins a picture", i.begin_image}, {"the id of an image token", i.image}, {"the id that ends a picture", i.end_image},
                                   {"the id that begins a sound", i.begin_audio}, {"the id of an audio token", i.audio}, {"the id that ends a sound", i.end_audio}}) {
        TRY(check.id(what, id));
    }
    if (i.image == i.audio) return fail(Code::bad_file, "%s: image and audio tokens have the same id, %d: expected two", path.c_str(), i.image);
    if (m.vision.vocab_offset + m.vision.vocab > m.audio.vocab_offset) {
        return fail(Code::bad_file, "%s: the marks of vision are ids %lld to %lld and those of audio begin at %lld: expected audio's after vision's", path.c_str(),
                    static_cast<long long>(m.vision.vocab_offset), static_cast<long long>(m.vision.vocab_offset + m.vision.vocab - 1), static_cast<long long>(m.audio.vocab_offset));
    }
    for (const int begin : {i.begin_image, i.begin_audio}) {
        if (text.vocab == 0 || begin < text.vocab) continue;  // 0: the weight loader misses the table
        return fail(Code::bad_file, "%s: a picture or sound begins with token %d: the text model has %lld tokens (is it another model's?)", path.c_str(), begin, static_cast<long long>(text.vocab));
    }
    return {};
}

// Depthwise convolutions [C, k, k, 1] and [C, k, 1] instead of [C, 1, k, k] and [C, 1, k].
Status check_layout(const format::Checkpoint& c) {
    for (const format::TensorInfo& t : c.tensors()) {
        const size_t n = t.shape.size();
        if (n < 3 || !format::is_tower(t.name) || t.shape[n - 1] != 1 || t.shape[n - 2] == 1) continue;
        return fail(Code::unsupported, "%s: tensor '%s' is stored channels last, as MLX writes convolutions: expected Hugging Face's order, output, input, height, width", c.path().c_str(),
                    shown(t.stored_name).c_str());
    }
    return {};
}

}  // namespace

Result<MediaConfig> read_media_config(const format::Checkpoint& towers, const Config& text) {
    MediaConfig m;
    for (const format::TensorInfo& t : towers.tensors()) {
        m.has_vision |= t.name.starts_with("vision_tower.");
        m.has_audio |= t.name.starts_with("audio_tower.");
    }
    if (towers.container() == format::Container::gguf) TRY(format::check_projector(towers));
    TRY(towers.container() == format::Container::gguf ? media_config_from_gguf(towers, m) : media_config_from_json(towers, m));
    const Checks check(towers.path());
    TRY(check_vision(towers, m.vision, check));
    TRY(check_audio(towers, m.audio, check));
    TRY(check_ids(m, text, towers.path(), check));
    TRY(check_layout(towers));
    return m;
}

}  // namespace gemma3n::model
