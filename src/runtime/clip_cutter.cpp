#include "gemma3n/attach.h"

namespace gemma3n {

void ClipCutter::push(std::span<const float> samples) { waiting_.insert(waiting_.end(), samples.begin(), samples.end()); }

std::optional<ClipCutter::Clip> ClipCutter::next(bool end) {
    // A cut is looked for in the first max_seconds alone, so that it stands once there is more than that.
    if (waiting_.empty() || (!end && static_cast<double>(waiting_.size()) <= max_seconds_ * static_cast<double>(sound_rate))) return std::nullopt;
    const Piece first = pieces_at_quiet_points(waiting_, max_seconds_).front();
    Clip clip{static_cast<double>(given_) / static_cast<double>(sound_rate), {waiting_.begin(), waiting_.begin() + first.end}};
    waiting_.erase(waiting_.begin(), waiting_.begin() + first.end);
    given_ += first.end;
    return clip;
}

}  // namespace gemma3n
