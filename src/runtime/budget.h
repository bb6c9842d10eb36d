// What an engine under a limit lets in. Sessions are admitted with the most that they may come to hold; steps and towers get what is left,
// one after the other if they do not fit together: before a tower runs, the text network's pages and scratch are given back, and before a
// step the towers'.
#pragma once

#include "base/result.h"
#include "gemma3n/slice.h"

#include <atomic>
#include <cstdint>
#include <utility>

namespace gemma3n::runtime {

class Budget {
public:
    void set_limit(uint64_t bytes) { limit_ = bytes; }  // 0 = none
    bool limited() const { return limit_ > 0; }
    uint64_t limit() const { return limit_; }
    uint64_t sessions() const { return sessions_; }  // admitted

    // What one session may come to hold, until it ends. A copy is another session's.
    class Share {
    public:
        Share() = default;
        Share(Budget& budget, uint64_t bytes) : budget_(&budget), bytes_(bytes) { budget.sessions_ += bytes; }
        Share(const Share& other) : budget_(other.budget_), bytes_(other.bytes_) {
            if (budget_) budget_->sessions_ += bytes_;
        }
        Share(Share&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
        Share& operator=(Share other) noexcept {
            std::swap(budget_, other.budget_);
            std::swap(bytes_, other.bytes_);
            return *this;
        }
        ~Share() {
            if (budget_) budget_->sessions_ -= bytes_;
        }
        uint64_t bytes() const { return bytes_; }

    private:
        Budget* budget_ = nullptr;
        uint64_t bytes_ = 0;
    };

    Slice running;                      // the size that the last step ran through; no layers: none has
    Slice resident;                     // the size whose weights have been read since they were last given back; no layers: none
    uint64_t vision = 0, audio = 0;     // of the towers that are in memory; all of this belongs to the one who holds the engine

private:
    uint64_t limit_ = 0;
    std::atomic<uint64_t> sessions_{0};
};

}  // namespace gemma3n::runtime
