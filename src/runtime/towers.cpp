#include "runtime/towers.h"

#include "format/projector.h"
#include "gemma3n/media.h"

#include <algorithm>

namespace gemma3n::runtime {

using format::Checkpoint;

namespace {

bool holds_towers(const Checkpoint& c) {
    return std::any_of(c.tensors().begin(), c.tensors().end(), [](const format::TensorInfo& t) { return t.name.starts_with("vision_tower.") || t.name.starts_with("audio_tower."); });
}

bool within(int id, int64_t begin, int64_t n) { return id >= begin && id < begin + n; }

}  // namespace

// The file of the towers; empty if there is none.
Result<std::string> Towers::choose(const Checkpoint& text, const std::string& projector) const {
    if (!projector.empty()) return projector;
    if (holds_towers(text)) return text.path();
    return text.container() == format::Container::gguf ? format::find_projector(text.path()) : std::string();
}

Result<Towers> Towers::open(const std::shared_ptr<Checkpoint>& text, const model::Config& config, const std::string& projector) {
    Towers t;
    t.model_path_ = text->path();
    t.hidden_ = config.hidden;
    t.text_ = &config;
    const auto read = [&]() -> Status {
        if (config.family != model::Family::gemma3n) {
            return fail(Code::unsupported, "%s: is no Gemma 3n: pictures and sound are for Gemma 3n models only", text->path().c_str());
        }
        ASSIGN(const std::string path, t.choose(*text, projector));
        if (path.empty()) return {};
        std::shared_ptr<Checkpoint> towers = text;
        if (path != text->path()) {
            ASSIGN(towers, Checkpoint::open(path));
        }
        ASSIGN(t.config_, model::read_media_config(*towers, config));
        t.checkpoint_ = std::move(towers);
        return {};
    };
    if (Status s = read(); !s) {
        if (!projector.empty()) return s.error();
        t.wrong_ = s.error();
    }
    return t;
}

int64_t Towers::clip_samples() const {
    constexpr int64_t most = 30 * sound_rate;  // what the reference's front end takes
    return std::min(most, config_.audio.n_tokens * token_samples());
}

int64_t Towers::token_samples() const {
    constexpr int64_t hop = 160, sub_sampling = 4;
    return config_.audio.reduction * sub_sampling * hop;
}

bool Towers::is_mark(int id) const {
    return (has_vision() && within(id, config_.vision.vocab_offset, config_.vision.vocab)) || (has_audio() && within(id, config_.audio.vocab_offset, config_.audio.vocab));
}

int64_t Towers::end_of_marks() const {
    return std::max(has_vision() ? config_.vision.vocab_offset + config_.vision.vocab : 0, has_audio() ? config_.audio.vocab_offset + config_.audio.vocab : 0);
}

Error Towers::none(const char* tower, const char* what) const {
    if (wrong_) return *wrong_;
    if (checkpoint_ && checkpoint_->path() != model_path_) return fail(Code::not_found, "%s: holds no %s tower: %s need one", checkpoint_->path().c_str(), tower, what);
    return fail(Code::not_found, "%s: has no %s tower: %s need a projector file, an mmproj-*.gguf beside it or named as mmproj (--mmproj of the command)", model_path_.c_str(), tower, what);
}

Result<std::shared_ptr<const model::VisionTower>> Towers::vision() {
    if (!has_vision()) return none("vision", "pictures");
    if (!vision_) {
        model::advise(*checkpoint_, *text_, model::TensorClass::vision, Advice::will_need);
        ASSIGN(vision_, model::VisionTower::bind(*checkpoint_, config_.vision));
    }
    return vision_;
}

Result<std::shared_ptr<const model::AudioTower>> Towers::audio() {
    if (!has_audio()) return none("audio", "sounds");
    if (!audio_) {
        model::advise(*checkpoint_, *text_, model::TensorClass::audio, Advice::will_need);
        ASSIGN(audio_, model::AudioTower::bind(*checkpoint_, config_.audio));
    }
    return audio_;
}

Status Towers::bind_embedder(std::optional<model::Embedder>& e, const char* prefix, float eps) {
    if (e) return {};
    model::Tensors tensors(*checkpoint_, owned_);
    ASSIGN(const format::TensorInfo* table, tensors.need(std::string(prefix) + "embedding.weight"));
    ASSIGN(e, model::Embedder::bind(tensors, prefix, table->cols, hidden_, eps));
    return {};
}

Result<const model::Embedder*> Towers::embed_vision() {
    if (!has_vision()) return none("vision", "pictures");
    TRY(bind_embedder(embed_vision_, "embed_vision.", config_.vision.eps));
    return &*embed_vision_;
}

Result<const model::Embedder*> Towers::embed_audio() {
    if (!has_audio()) return none("audio", "sounds");
    TRY(bind_embedder(embed_audio_, "embed_audio.", config_.audio.eps));
    return &*embed_audio_;
}

Result<const float*> Towers::hard(Context c, int id) {
    std::vector<float>& row = hard_[id];
    if (row.empty()) {
        const bool audio = has_audio() && within(id, config_.audio.vocab_offset, config_.audio.vocab);
        ASSIGN(const model::Embedder* e, audio ? embed_audio() : embed_vision());
        const Arena::Scope scope(c.scratch);
        const View out = c.scratch.view(1, hidden_);
        const int64_t table_row = id - (audio ? config_.audio.vocab_offset : config_.vision.vocab_offset);
        e->hard(c, {&table_row, 1}, out);
        TRY(checkpoint_->intact());
        row.assign(out.f32(), out.f32() + hidden_);
    }
    return row.data();
}

void Towers::release() {
    vision_.reset();
    audio_.reset();
    scratch_ = Arena();
    if (!checkpoint_) return;
    for (const auto c : {model::TensorClass::vision, model::TensorClass::audio}) model::advise(*checkpoint_, *text_, c, Advice::dont_need);
}

}  // namespace gemma3n::runtime
