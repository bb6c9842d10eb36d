#include "cli/sound_queue.h"

#include <chrono>
#include <new>
#include <utility>

namespace gemma3n::cli {

static constexpr auto patience = std::chrono::milliseconds(50);

Result<std::unique_ptr<SoundQueue>> SoundQueue::open(const std::string& path, Waiting waiting) {
    std::unique_ptr<SoundQueue> q(new SoundQueue);
    q->waiting_ = std::move(waiting);
    auto reader = SoundReader::open(path, [p = q.get()] { return !p->stop_ && p->waiting_(); });
    if (!reader) return reader.error();
    q->reader_ = std::move(*reader);
    q->thread_ = std::thread([p = q.get()] { p->run(); });
    return q;
}

SoundQueue::~SoundQueue() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
}

void SoundQueue::run() {
    for (;;) {
        const auto more = read_some();
        std::unique_lock lock(mutex_);
        if (!more) error_ = more.error();
        ended_ = !more || !*more || stop_;
        came_.notify_one();
        while (!ended_ && samples_.size() >= most && !stop_) taken_.wait_for(lock, patience);
        if (ended_) return;
    }
}

Result<bool> SoundQueue::read_some() {
    try {
        std::vector<float> some;
        const auto more = reader_->read(sound_rate / 5, some);
        const std::lock_guard lock(mutex_);
        samples_.insert(samples_.end(), some.begin(), some.end());
        return more;
    } catch (const std::bad_alloc&) {
        return Error{Code::over_budget, "out of memory while sound is read"};
    }
}

Result<bool> SoundQueue::take(size_t n, std::vector<float>& samples) {
    std::unique_lock lock(mutex_);
    while (samples_.size() < n && !ended_ && waiting_()) came_.wait_for(lock, patience);
    if (samples_.empty() && error_) return *error_;
    samples.insert(samples.end(), samples_.begin(), samples_.end());
    samples_.clear();
    taken_.notify_one();
    return !ended_ || error_;
}

std::string SoundQueue::note() const {
    const std::lock_guard lock(mutex_);
    return ended_ ? reader_->note() : "";
}

size_t SoundQueue::waiting() const {
    const std::lock_guard lock(mutex_);
    return samples_.size();
}

}  // namespace gemma3n::cli
