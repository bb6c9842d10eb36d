// The towers that an engine has: its model's own or those of a projector file, bound when a picture or a sound first comes.
#pragma once

#include "base/result.h"
#include "format/checkpoint.h"
#include "model/audio/tower.h"
#include "model/media/config.h"
#include "model/media/embedder.h"
#include "model/residency.h"
#include "model/vision/tower.h"
#include "tensor/arena.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gemma3n::runtime {

class Towers {
public:
    // Looks for towers: in `projector` if it is named, else in the model itself, else in a projector file beside it. What is wrong with a
    // projector that was named is an error here; with any other it is the answer to the first picture or sound.
    static Result<Towers> open(const std::shared_ptr<format::Checkpoint>& text, const model::Config& config, const std::string& projector);

    bool has_vision() const { return config_.has_vision; }
    bool has_audio() const { return config_.has_audio; }
    const model::MediaConfig& config() const { return config_; }
    const format::Checkpoint* checkpoint() const { return checkpoint_.get(); }  // null: no towers
    const std::optional<Error>& wrong() const { return wrong_; }                // why there are none, if something was there
    int64_t clip_samples() const;                                               // the longest clip
    int64_t token_samples() const;                                              // of sound that become one token
    // Ids of marks lie below it; 0 without towers.
    int64_t end_of_marks() const;
    bool is_mark(int id) const;

    // The rest belongs to the one who holds the engine. Views into the checkpoint: nothing is read yet.
    Result<std::shared_ptr<const model::VisionTower>> vision();
    Result<std::shared_ptr<const model::AudioTower>> audio();
    Result<const model::Embedder*> embed_vision();
    Result<const model::Embedder*> embed_audio();
    // Input vector of a mark, [hidden], valid as long as these towers.
    Result<const float*> hard(Context c, int id);

    // Scratch of the towers, apart from the text network's: it can be given back alone.
    Arena& scratch() { return scratch_; }
    void release();

private:
    Status bind_embedder(std::optional<model::Embedder>& e, const char* prefix, float eps);
    Result<std::string> choose(const format::Checkpoint& text, const std::string& projector) const;
    Error none(const char* tower, const char* what) const;

    std::string model_path_;
    int64_t hidden_ = 0;
    const model::Config* text_ = nullptr;
    std::shared_ptr<format::Checkpoint> checkpoint_;
    std::optional<Error> wrong_;
    model::MediaConfig config_;
    std::shared_ptr<const model::VisionTower> vision_;
    std::shared_ptr<const model::AudioTower> audio_;
    std::optional<model::Embedder> embed_vision_, embed_audio_;
    model::OwnedVectors owned_;
    std::map<int, std::vector<float>> hard_;
    Arena scratch_;
};

}  // namespace gemma3n::runtime
