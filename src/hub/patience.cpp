#include "hub/patience.h"

#include <charconv>
#include <chrono>
#include <thread>

namespace gemma3n::hub {

constexpr int most_tries = 4;
constexpr int longest_wait_s = 120;

bool Patience::again(Response& r) {
    if (r.stopped || (r.unreachable && !reached_)) return false;
    const bool broken = !r.trouble.empty(), busy = r.status == 408 || r.status == 429 || r.status >= 500;
    if ((!broken && !busy) || tries_ == most_tries) return false;
    auto wait = std::chrono::milliseconds(500) * (1 << tries_++);
    if (const std::string after = r.header("retry-after"); busy && !after.empty()) {
        int seconds = -1;  // the form with a date is left to our own measure
        std::from_chars(after.data(), after.data() + after.size(), seconds);
        if (seconds > longest_wait_s) return false;
        if (seconds >= 0) wait = std::chrono::seconds(seconds);
    }
    for (const auto end = std::chrono::steady_clock::now() + wait; std::chrono::steady_clock::now() < end;) {
        if (!go_on_()) {
            r.stopped = true;
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
}

}  // namespace gemma3n::hub
