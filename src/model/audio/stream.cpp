// A stream: samples become mel frames, frames sub-frames, sub-frames rows, each as soon as nothing later can change it. Every step
// treats a frame by itself and sums in an order that no grouping changes, so how the sound was cut does not show.
#include "model/audio/encoder.h"
#include "ops/linear.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gemma3n::model {

namespace {

using audio::LogMel;

constexpr int64_t group = 384;                      // sub-frames that go through a layer together: weights are read once for them
constexpr int64_t slice = group * 4 * LogMel::hop;  // samples taken at a time: bounds scratch
constexpr float loudest = 1e9f;                     // sound of another scale than [-1, 1] is only loud; beyond this it is none

}  // namespace

struct AudioTower::Stream::Impl {
    const audio::Encoder& e;

    std::vector<float> samples;  // from the first frame that is not made yet
    int64_t n_samples = 0;       // of the sound so far
    audio::StridedConv::State conv_0, conv_1;
    std::vector<float> waiting;  // [n, width] sub-frames that no row needs yet
    int64_t n_done = 0;          // sub-frames that went through the layers
    std::vector<audio::ConformerLayer::State> layers;

    explicit Impl(const audio::Encoder& encoder) : e(encoder), layers(encoder.layers.size()) {}

    void advance(Context& c, bool end, std::vector<float>& rows, Tap* tap);
    void mel_frames(Context& c, const Tapped& tapped);
    void sub_frames(Context& c, bool end, const Tapped& tapped);
    void encode(Context& c, View x, std::vector<float>& rows, const Tapped& tapped);
};

void AudioTower::Stream::Impl::mel_frames(Context& c, const Tapped& tapped) {
    const int64_t n = LogMel::n_frames(static_cast<int64_t>(samples.size())), bins = e.log_mel.n_bins(), stride = e.conv_0.in_stride();
    if (n == 0) return;
    float* mel = e.conv_0.extend(conv_0, n);
    c.each_row(n, [&](int64_t i) { e.log_mel.features(samples.data() + i * LogMel::hop, mel + i * stride); });
    samples.erase(samples.begin(), samples.begin() + n * LogMel::hop);
    if (!tapped.tap) return;
    const Arena::Scope scope(c.scratch);
    const View seen = c.scratch.view(n, bins);
    for (int64_t i = 0; i < n; i++) memcpy(seen.f32(i), mel + i * stride, static_cast<size_t>(bins) * sizeof(float));
    tapped.in("input_features").see(seen);
}

void AudioTower::Stream::Impl::sub_frames(Context& c, bool end, const Tapped& tapped) {
    const Arena::Scope scope(c.scratch);
    const int64_t n_between = e.conv_0.ready(conv_0, end);
    e.conv_0.run(c, conv_0, n_between, e.conv_1.extend(conv_1, n_between), e.conv_1.in_stride(), "conv_0", tapped);
    const int64_t n = e.conv_1.ready(conv_1, end);
    if (n == 0) return;
    const View flat = c.scratch.view(n, e.conv_1.width()), x = c.scratch.view(n, e.width());
    e.conv_1.run(c, conv_1, n, flat.f32(), flat.n_cols, "conv_1", tapped);
    ops::linear(c, flat, e.input_proj_linear, x, ops::Order::steady);
    tapped.in("input_proj_linear").see(x);
    waiting.insert(waiting.end(), x.f32(), x.f32() + n * e.width());
}

void AudioTower::Stream::Impl::encode(Context& c, View x, std::vector<float>& rows, const Tapped& tapped) {
    const auto& relative = e.relative(c);
    for (size_t i = 0; i < layers.size(); i++) {
        e.layers[i].run(c, x, relative[i], layers[i], tapped.in("conformer." + std::to_string(i)));
    }
    const int64_t first = (e.config.reduction - n_done % e.config.reduction) % e.config.reduction;
    for (int64_t r = first; r < x.n_rows; r += e.config.reduction) rows.insert(rows.end(), x.f32(r), x.f32(r) + x.n_cols);
    n_done += x.n_rows;
}

void AudioTower::Stream::Impl::advance(Context& c, bool end, std::vector<float>& rows, Tap* tap) {
    const Tapped tapped{tap, "audio"};
    mel_frames(c, tapped);
    sub_frames(c, end, tapped.in("subsample_conv_projection"));
    const int64_t width = e.width(), n_waiting = static_cast<int64_t>(waiting.size()) / width;
    if (n_waiting == 0) return;
    const int64_t last = n_done + n_waiting - 1, needed = last - last % e.config.reduction - n_done + 1;  // up to the last that is a row
    const Arena::Scope scope(c.scratch);
    for (int64_t at = 0, n; at < needed; at += n) {
        n = std::min(group, needed - at);
        const Arena::Scope inner(c.scratch);
        const View x = c.scratch.view(n, width);
        memcpy(x.f32(), waiting.data() + at * width, static_cast<size_t>(n * width) * sizeof(float));
        encode(c, x, rows, tapped);
    }
    waiting.erase(waiting.begin(), waiting.begin() + needed * width);
}

uint64_t AudioTower::scratch_bytes(int n_threads, bool exact) const {
    const Impl& e = *impl_;
    constexpr int64_t between = 2 * group + 2, sub_frames = group + 2;  // of a slice, and of what waited before it
    ScratchPlan p(n_threads, exact);
    e.conv_0.plan(p, between);
    {
        const ScratchPlan::Scope scope(p);
        p.view(sub_frames, e.conv_1.width());
        p.view(sub_frames, e.width());
        e.conv_1.plan(p, sub_frames);
        ops::plan_linear(p, sub_frames, e.conv_1.width(), e.input_proj_linear.type);
    }
    p.view(group, e.width());
    for (const audio::ConformerLayer& l : e.layers) l.plan(p, group);
    return p.peak();
}

uint64_t AudioTower::stream_bytes(int64_t n_samples) const {
    const Impl& e = *impl_;
    const int64_t width = e.width(), past = e.config.context_left - 1;
    uint64_t floats = static_cast<uint64_t>(slice + LogMel::reach + LogMel::padding) + static_cast<uint64_t>((group + e.config.reduction) * width);
    floats += static_cast<uint64_t>(static_cast<int64_t>(e.layers.size()) * (2 * past + e.config.context_left + 16) * width);  // keys, values, relative positions, gated rows
    floats += static_cast<uint64_t>(n_rows(n_samples) * width);
    return 2 * (floats * sizeof(float) + e.conv_0.held_bytes(4 * group) + e.conv_1.held_bytes(2 * group));  // vectors grow to twice what they need
}

uint64_t AudioTower::owned_bytes() const { return impl_->owned.bytes(); }

AudioTower::Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AudioTower::Stream::~Stream() = default;

std::unique_ptr<AudioTower::Stream> AudioTower::stream() const {
    return std::unique_ptr<Stream>(new Stream(std::make_unique<Stream::Impl>(*impl_)));
}

Status AudioTower::Stream::push(Context& c, std::span<const float> samples, std::vector<float>& rows, Tap* tap) {
    for (size_t i = 0; i < samples.size(); i++) {
        if (std::fabs(samples[i]) <= loudest) continue;
        return fail(Code::bad_argument, "sample %lld of the sound is %g: expected numbers in [-1, 1]", static_cast<long long>(impl_->n_samples + static_cast<int64_t>(i)),
                    static_cast<double>(samples[i]));
    }
    const PoolAwake awake(c.pool);
    for (size_t at = 0; at < samples.size(); at += slice) {
        const std::span<const float> part = samples.subspan(at, std::min<size_t>(slice, samples.size() - at));
        impl_->samples.insert(impl_->samples.end(), part.begin(), part.end());
        impl_->n_samples += static_cast<int64_t>(part.size());
        impl_->advance(c, false, rows, tap);
    }
    return {};
}

Status AudioTower::Stream::finish(Context& c, std::vector<float>& rows, Tap* tap) {
    if (impl_->n_samples > 0) {
        // The reference fills a clip up with zeros; one too short for a frame gets the shortest length that has one.
        const int64_t length = std::max(impl_->n_samples, LogMel::reach);
        const int64_t silence = (length + LogMel::padding - 1) / LogMel::padding * LogMel::padding - impl_->n_samples;
        impl_->samples.resize(impl_->samples.size() + static_cast<size_t>(silence));
        const PoolAwake awake(c.pool);
        impl_->advance(c, true, rows, tap);
    }
    impl_ = std::make_unique<Impl>(impl_->e);
    return {};
}

uint64_t AudioTower::Stream::bytes() const {
    const Impl& s = *impl_;
    size_t n = s.samples.size() + s.conv_0.rows.size() + s.conv_1.rows.size() + s.waiting.size();
    for (const audio::ConformerLayer::State& l : s.layers) n += l.attention.keys.size() + l.attention.values.size() + l.lconv1d.past.size();
    return n * sizeof(float);
}

}  // namespace gemma3n::model
