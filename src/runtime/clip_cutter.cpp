#include "gemma3n/attach.h"

#include <algorithm>

namespace gemma3n {

// pieces_at_quiet_points leaves a tenth of a piece to the last one, so that the first cut stands once there is so much more than a piece.
std::optional<ClipCutter::Clip> ClipCutter::next(bool end) {
    if (waiting_.empty() || (!end && static_cast<int64_t>(waiting_.size()) <= most() + most() / 10)) return std::nullopt;
    const Piece first = pieces_at_quiet_points(waiting_, max_seconds_).front();
    Clip clip{static_cast<double>(given_) / static_cast<double>(sound_rate), {waiting_.begin(), waiting_.begin() + first.end}};
    waiting_.erase(waiting_.begin(), waiting_.begin() + first.end);
    given_ += first.end;
    return clip;
}

void ClipCutter::push(std::span<const float> samples) { waiting_.insert(waiting_.end(), samples.begin(), samples.end()); }

// What is still to come is taken for loud: a cut that would be made before it moves to another place only if that is at least as quiet,
// and then it is a later one.
int64_t ClipCutter::certain() const {
    const auto n = static_cast<int64_t>(waiting_.size());
    if (n > most()) return pieces_at_quiet_points(waiting_, max_seconds_).front().end;
    if (n < most() / 2) return n;  // no cut is made there
    std::vector<float> loud(waiting_);
    loud.resize(static_cast<size_t>(most()) + 1, 1e3f);
    return std::min(n, pieces_at_quiet_points(loud, max_seconds_).front().end);
}

}  // namespace gemma3n
