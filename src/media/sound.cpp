// Sound of any file at 16 kHz, piece by piece or whole.
#include "media/sound.h"

#include "media/resampler.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gemma3n {

namespace media {

Status check_rate(const std::string& name, int64_t rate, int64_t channels) {
    if (rate < min_rate || rate > max_rate) {
        return fail(Code::unsupported, "%s: has %lld samples a second: expected %lld to %lld", name.c_str(), static_cast<long long>(rate), static_cast<long long>(min_rate), static_cast<long long>(max_rate));
    }
    if (channels < 1 || channels > 64) return fail(Code::unsupported, "%s: has %lld channels of sound: expected 1 to 64", name.c_str(), static_cast<long long>(channels));
    return {};
}

Result<std::unique_ptr<SoundSource>> open_sound(std::unique_ptr<Input> in) {
    ASSIGN(const auto begin, in->peek(1));
    if (begin.empty()) return fail(Code::bad_file, "%s: is empty: expected a sound file", in->name().c_str());
    ASSIGN(const bool wav, is_plain_wav(*in));
    return wav ? open_wav(std::move(in)) : open_container(std::move(in));
}

namespace {

class Reader : public SoundReader {
public:
    explicit Reader(std::unique_ptr<SoundSource> source) : source_(std::move(source)) {}

    Result<bool> read(int64_t n, std::vector<float>& samples) override {
        const size_t had = samples.size();
        while (!ended_ && samples.size() == had) {
            const int64_t rate = source_->rate();
            mono_.clear();
            ASSIGN(const bool more, source_->read(std::max<int64_t>(1, std::clamp<int64_t>(n, 1, sound_rate) * rate / sound_rate), mono_));
            if (!more || (resampler_ && source_->rate() != resampled_)) {
                if (resampler_) resampler_->finish(samples);
                resampler_.reset();
                ended_ = !more;
            }
            if (!more) break;
            if (!resampler_) resampler_.emplace(resampled_ = source_->rate());
            resampler_->push(mono_, samples);
        }
        return samples.size() > had;
    }
    double duration() const override { return source_->duration(); }
    std::string note() const override { return source_->note(); }

private:
    std::unique_ptr<SoundSource> source_;
    std::optional<Resampler> resampler_;
    int64_t resampled_ = 0;  // the rate that resampler_ takes
    std::vector<float> mono_;
    bool ended_ = false;
};

Result<std::unique_ptr<SoundReader>> reader(std::unique_ptr<Input> in) {
    ASSIGN(auto source, open_sound(std::move(in)));
    return std::unique_ptr<SoundReader>(std::make_unique<Reader>(std::move(source)));
}

}  // namespace
}  // namespace media

Result<std::unique_ptr<SoundReader>> SoundReader::open(const std::string& path, const Waiting& waiting) {
    ASSIGN(auto in, Input::open(path, waiting));
    return media::reader(std::move(in));
}

Result<std::unique_ptr<SoundReader>> SoundReader::open(std::span<const std::byte> bytes, const std::string& name) { return media::reader(Input::of(bytes, name)); }

Result<Sound> read_sound(const std::string& path, double max_seconds, const Waiting& waiting) {
    ASSIGN(const auto reader, SoundReader::open(path, waiting));
    Sound all;
    for (;;) {
        ASSIGN(const bool more, reader->read(sound_rate, all.samples));
        if (!more) break;
        if (all.seconds() > max_seconds) return fail(Code::unsupported, "%s: has more than %g seconds of sound, which is the most that is read at once", path.c_str(), max_seconds);
    }
    all.note = reader->note();
    if (all.samples.empty()) return fail(Code::bad_file, "%s: holds no sound", path.c_str());
    return all;
}

}  // namespace gemma3n
