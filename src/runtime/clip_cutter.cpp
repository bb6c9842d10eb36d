#include "gemma3n/attach.h"

#include <algorithm>

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

// What is still to come can be taken for loud: a cut that would be made before it can only move to a quieter point, which is later.
int64_t ClipCutter::certain() const {
    const auto n = static_cast<int64_t>(waiting_.size()), most = static_cast<int64_t>(max_seconds_ * static_cast<double>(sound_rate));
    if (n > most) return pieces_at_quiet_points(waiting_, max_seconds_).front().end;
    if (n < most / 2) return n;  // a cut is made in a clip's last part
    std::vector<float> loud(waiting_);
    loud.resize(static_cast<size_t>(most) + 1, 1e3f);
    return std::min(n, pieces_at_quiet_points(loud, max_seconds_).front().end);
}

}  // namespace gemma3n
