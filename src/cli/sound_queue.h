// Sound that arrives while something else is done with it: a thread of its own reads, so that a pipe or a microphone does not wait until ten
// minutes of it are here.
#pragma once

#include "gemma3n/media.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gemma3n::cli {

class SoundQueue {
public:
    static constexpr size_t most = 600 * sound_rate;  // samples that lie here, 38 MB; the rest waits where it comes from

    // "-": standard input. `waiting` is asked on either thread while nothing comes; false ends the wait.
    static Result<std::unique_ptr<SoundQueue>> open(const std::string& path, Waiting waiting);
    ~SoundQueue();
    SoundQueue(const SoundQueue&) = delete;

    // Appends what has come once there are `n` samples of it, or all that comes: false when there will be no more.
    Result<bool> take(size_t n, std::vector<float>& samples);
    size_t waiting() const;  // samples
    std::string note() const;     // the reader's, once it has ended

private:
    SoundQueue() = default;
    void run();
    Result<bool> read_some();
    std::unique_ptr<SoundReader> reader_;
    std::atomic<bool> stop_{false};
    Waiting waiting_;
    mutable std::mutex mutex_;
    std::condition_variable came_, taken_;
    std::vector<float> samples_;
    bool ended_ = false;
    std::optional<Error> error_;
    std::thread thread_;
};

}  // namespace gemma3n::cli
