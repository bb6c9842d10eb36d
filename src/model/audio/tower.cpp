#include "model/audio/tower.h"

#include "model/audio/encoder.h"

#include <algorithm>
#include <charconv>

namespace gemma3n::model {

namespace {

constexpr int64_t most_bins = 512;       // of the spectrum 513 are there to stand on
constexpr int64_t most_context = 1024;   // bounds a stream's keys and values
constexpr int64_t most_reduction = 1024; // bounds the frames that wait for a row
constexpr int64_t subsampling = 4;       // mel frames of a sub-frame: two strides of 2
constexpr std::string_view layer_prefix = "audio_tower.conformer.";

// One more than the largest number of a layer in the tensors' names.
Result<int64_t> count_layers(const format::Checkpoint& checkpoint) {
    int64_t n = 0;
    for (const format::TensorInfo& t : checkpoint.tensors()) {
        if (!t.name.starts_with(layer_prefix)) continue;
        int64_t i = 0;
        const char* end = t.name.data() + t.name.size();
        const auto [after, error] = std::from_chars(t.name.data() + layer_prefix.size(), end, i);
        if (error != std::errc{} || after == end || *after != '.' || i < 0 || i >= static_cast<int64_t>(checkpoint.tensors().size())) {
            return fail(Code::bad_file, "%s: tensor '%s' belongs to no layer: expected a number after 'conformer.'", checkpoint.path().c_str(), shown(t.stored_name).c_str());
        }
        n = std::max(n, i + 1);
    }
    return n;
}

Status check(const AudioConfig& a, const std::string& path, int64_t width) {
    if (a.context_right != 0) {
        return fail(Code::unsupported, "%s: audio frames see %lld later ones: expected 0, as a stream needs it", path.c_str(), static_cast<long long>(a.context_right));
    }
    if (a.context_left < 1 || a.context_left > most_context) {
        return fail(Code::bad_file, "%s: an audio frame sees %lld frames: expected 1 to %lld", path.c_str(), static_cast<long long>(a.context_left), static_cast<long long>(most_context));
    }
    if (a.reduction < 1 || a.reduction > most_reduction) {
        return fail(Code::bad_file, "%s: every %lld-th audio frame becomes a token: expected 1 to %lld", path.c_str(), static_cast<long long>(a.reduction), static_cast<long long>(most_reduction));
    }
    if (a.n_heads < 1 || width % a.n_heads != 0 || width % 2 != 0) {
        return fail(Code::bad_file, "%s: the audio encoder has %lld heads and rows of %lld values: expected an even number that the heads divide", path.c_str(),
                    static_cast<long long>(a.n_heads), static_cast<long long>(width));
    }
    return {};
}

}  // namespace

const std::vector<std::vector<float>>& audio::Encoder::relative(Context& c) const {
    std::call_once(made_, [&] {
        for (const ConformerLayer& l : layers) relative_.push_back(l.attention().relative(c));
    });
    return relative_;
}

AudioTower::AudioTower() : impl_(std::make_unique<Impl>()) {}
AudioTower::~AudioTower() = default;

Result<std::unique_ptr<AudioTower>> AudioTower::bind(const format::Checkpoint& checkpoint, const AudioConfig& config) {
    std::unique_ptr<AudioTower> tower(new AudioTower);
    Impl& e = *tower->impl_;
    Tensors tensors(checkpoint, e.owned);
    e.config = config;

    const std::string sub = "audio_tower.subsample_conv_projection.";
    ASSIGN(const format::TensorInfo* proj, tensors.need(sub + "input_proj_linear.weight"));
    ASSIGN(const format::TensorInfo* last, tensors.need(sub + "conv_1.conv.weight"));
    TRY(check(config, checkpoint.path(), proj->rows));
    // the file does not say how many bins a frame has: their quarter times conv_1's channels is what the projection reads
    const int64_t channels = std::max<int64_t>(last->shape.empty() ? 0 : last->shape[0], 1), bins = proj->cols / channels * subsampling;
    if (proj->cols % channels != 0 || bins < 1 || bins > most_bins) {
        return fail(Code::bad_file, "%s: tensor '%s' reads rows of %lld values: expected a multiple of conv_1's %lld channels, for 4 to %lld mel bins", checkpoint.path().c_str(),
                    proj->stored_name.c_str(), static_cast<long long>(proj->cols), static_cast<long long>(channels), static_cast<long long>(most_bins));
    }
    e.log_mel = audio::LogMel(bins);
    ASSIGN(e.conv_0, audio::StridedConv::bind(tensors, sub + "conv_0.", 1, bins, config.group_norm_eps));
    ASSIGN(e.conv_1, audio::StridedConv::bind(tensors, sub + "conv_1.", e.conv_0.channels(), e.conv_0.frequencies(), config.group_norm_eps));
    ASSIGN(e.input_proj_linear, tensors.matrix(sub + "input_proj_linear.weight", proj->rows, e.conv_1.width()));

    ASSIGN(const int64_t n_layers, count_layers(checkpoint));
    for (int64_t i = 0; i < n_layers; i++) {
        ASSIGN(audio::ConformerLayer layer, audio::ConformerLayer::bind(tensors, std::string(layer_prefix) + std::to_string(i) + ".", config, proj->rows));
        e.layers.push_back(std::move(layer));
    }
    return tower;
}

int64_t AudioTower::width() const { return impl_->width(); }

int64_t AudioTower::n_rows(int64_t n_samples) const {
    if (n_samples <= 0) return 0;
    const int64_t padded = (std::max(n_samples, audio::LogMel::reach) + audio::LogMel::padding - 1) / audio::LogMel::padding * audio::LogMel::padding;
    const int64_t every = subsampling * impl_->config.reduction;
    return (audio::LogMel::n_frames(padded) + every - 1) / every;
}

double AudioTower::multiplications_per_second() const {
    double row = static_cast<double>(impl_->input_proj_linear.n_rows) * static_cast<double>(impl_->input_proj_linear.n_cols);
    for (const audio::ConformerLayer& l : impl_->layers) row += l.multiplications();
    row += 2 * impl_->conv_0.multiplications() + impl_->conv_1.multiplications();
    return row * static_cast<double>(audio::LogMel::sample_rate) / static_cast<double>(audio::LogMel::hop * subsampling);
}

}  // namespace gemma3n::model
