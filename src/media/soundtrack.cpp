#include "media/soundtrack.h"

#include <algorithm>
#include <cmath>

namespace gemma3n::media {

constexpr double max_early = 10;  // seconds before the pictures that sound may begin; an earlier time is broken, and means their beginning

Status Soundtrack::advance(double time, bool last) {
    while (!ended_ && at_ < time) {
        if (held_ && gap_ >= 1) {  // silence up to the frame that waits
            const double n = std::min(gap_, std::ceil((time - at_) * static_cast<double>(rate_)));
            mono_.assign(static_cast<size_t>(std::clamp(n, 1.0, 1e6)), 0);
            gap_ -= static_cast<double>(mono_.size());
            take_mono();
        } else if (held_) {
            held_ = false;
            mono_.clear();
            TRY(append_mono(name_, *frame_, mono_));
            if (frame_->sample_rate != rate_) finish(), rate_ = frame_->sample_rate;
            take_mono();
        } else if (decoder_->receive(frame_.get())) {
            TRY(hold());
        } else if (!queue.packets.empty()) {
            decoder_->send(queue.pop().get());
        } else if (last && !drained_) {
            drained_ = true;
            decoder_->send(nullptr);
        } else if (last) {
            finish();
            ended_ = true;
        } else {
            break;
        }
    }
    return {};
}

void Soundtrack::give(double time, std::vector<float>* out) {
    const int64_t n = std::min<int64_t>(static_cast<int64_t>(samples_.size()), std::llround((std::min(time, 1e9) - origin_) * sound_rate) - given_);
    if (n <= 0) return;
    const auto end = samples_.begin() + n;
    if (out) out->insert(out->end(), samples_.begin(), end);
    samples_.erase(samples_.begin(), end);
    given_ += n;
}

void Soundtrack::give_all(std::vector<float>* out) {
    if (out) out->insert(out->end(), samples_.begin(), samples_.end());
    given_ += static_cast<int64_t>(samples_.size());
    samples_.clear();
}

// A frame waits in frame_; gap_ is the silence before it, in samples. What begins before the pictures do goes with the first of them.
Status Soundtrack::hold() {
    held_ = true;
    const bool first = rate_ == 0;
    if (first) rate_ = std::clamp<int64_t>(frame_->sample_rate, min_rate, max_rate);
    const auto time = seconds(frame_->best_effort_timestamp, decoder_->stream()->time_base);
    const double from = time ? *time - zero : at_;
    if (first && from < 0 && from > -max_early) origin_ = at_ = from;
    gap_ = from > at_ + (first ? 0 : in_step) && from < at_ + max_gap ? std::round((from - at_) * static_cast<double>(rate_)) : 0;
    filled_ += gap_ / static_cast<double>(rate_);
    if (filled_ <= max_filled) return {};
    return fail(Code::unsupported, "%s: its sound has holes of more than %.0f seconds in all, %.0f of them before the second %.0f: expected less", name_.c_str(), max_filled, gap_ / static_cast<double>(rate_), from);
}

void Soundtrack::take_mono() {
    if (!resampler_) resampler_.emplace(rate_);
    resampler_->push(mono_, samples_);
    at_ += static_cast<double>(mono_.size()) / static_cast<double>(rate_);
}

void Soundtrack::finish() {
    if (resampler_) resampler_->finish(samples_);
    resampler_.reset();
}

}  // namespace gemma3n::media
