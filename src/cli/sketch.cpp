#include "cli/sketch.h"

#include <algorithm>
#include <utility>

namespace gemma3n::cli {

namespace {

class SketchedSound : public SoundReader {
public:
    SketchedSound(std::unique_ptr<SoundReader> reader, Sketch& sketch) : reader_(std::move(reader)), sketch_(sketch) {}

    Result<bool> read(int64_t n, std::vector<float>& samples) override {
        const size_t before = samples.size();
        auto more = reader_->read(n, samples);
        sketch_.hear(std::span<const float>(samples).subspan(before));
        return more;
    }
    double duration() const override { return reader_->duration(); }
    std::string note() const override { return reader_->note(); }

private:
    std::unique_ptr<SoundReader> reader_;
    Sketch& sketch_;
};

class SketchedVideo : public VideoReader {
public:
    SketchedVideo(std::unique_ptr<VideoReader> reader, int64_t side, Sketch& sketch) : reader_(std::move(reader)), side_(side), sketch_(sketch) {}

    Result<std::optional<Frame>> next(std::vector<float>* sound) override {
        const size_t before = sound ? sound->size() : 0;
        auto frame = reader_->next(sound);
        if (sound) sketch_.hear(std::span<const float>(*sound).subspan(before));
        if (!frame || !*frame) return frame;
        Image& image = (*frame)->image;
        sketch_.see(image);
        if (side_ <= 0) return frame;
        auto square = resized(image, side_);
        if (!square) return square.error();
        image = std::move(*square);
        return frame;
    }
    double duration() const override { return reader_->duration(); }
    double sound_duration() const override { return reader_->sound_duration(); }
    bool has_sound() const override { return reader_->has_sound(); }
    int64_t dropped() const override { return reader_->dropped(); }
    std::string note() const override { return reader_->note(); }
    uint64_t decoder_bytes() const override { return reader_->decoder_bytes(); }

private:
    std::unique_ptr<VideoReader> reader_;
    int64_t side_;
    Sketch& sketch_;
};

}  // namespace

void Sketch::see(const Image& image) {
    Image small = shrunk(image, most_columns, 2 * most_rows);
    if (n_seen_++ % stride_ != 0) {
        last_ = std::move(small);
        return;
    }
    last_.reset();
    frames_.push_back(std::move(small));
    if (frames_.size() <= most_kept) return;
    for (size_t i = 1; 2 * i < frames_.size(); i++) frames_[i] = std::move(frames_[2 * i]);  // most_kept is even: the newest stays
    frames_.resize(most_kept / 2 + 1);
    stride_ *= 2;
}

std::string Sketch::drawn(const Canvas& canvas) const {
    const auto kept = static_cast<int64_t>(frames_.size()), have = kept + (last_ ? 1 : 0), n = std::min(have, most_drawn);
    std::vector<Image> row;
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = n > 1 ? (i * (have - 1) + (n - 1) / 2) / (n - 1) : 0;
        row.push_back(at < kept ? frames_[static_cast<size_t>(at)] : *last_);
    }
    return cli::drawn(row, canvas) + cli::drawn(sound_, canvas);
}

std::unique_ptr<SoundReader> sketched(std::unique_ptr<SoundReader> reader, Sketch& sketch) { return std::make_unique<SketchedSound>(std::move(reader), sketch); }

std::unique_ptr<VideoReader> sketched(std::unique_ptr<VideoReader> reader, int64_t side, Sketch& sketch) { return std::make_unique<SketchedVideo>(std::move(reader), side, sketch); }

}  // namespace gemma3n::cli
