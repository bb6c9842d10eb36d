// The thread that reads a stream: how much waits for a slow caller, and what becomes of a reader that runs out of memory.
#include "media/video.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>

namespace gemma3n::media {
namespace {

// Frames as fast as they are asked for, each with a minute of sound that has the frame's number in every sample; then the end, or that of memory.
class Minutes : public VideoReader {
public:
    Minutes(int64_t frames, std::shared_ptr<std::atomic<int64_t>> read, bool memory_ends) : frames_(frames), read_(std::move(read)), memory_ends_(memory_ends) {}
    Result<std::optional<Frame>> next(std::vector<float>* sound) override {
        if (*read_ == frames_ && memory_ends_) throw std::bad_alloc();
        if (*read_ == frames_) return std::optional<Frame>();
        sound->insert(sound->end(), 60 * sound_rate, static_cast<float>(*read_));
        Frame f;
        f.seconds = 60.0 * static_cast<double>((*read_)++);
        return std::optional(std::move(f));
    }
    double duration() const override { return 0; }
    bool has_sound() const override { return true; }
    int64_t dropped() const override { return 0; }
    std::string note() const override { return {}; }

private:
    int64_t frames_;
    std::shared_ptr<std::atomic<int64_t>> read_;
    bool memory_ends_;
};

class LiveStream : public testing::Test {
protected:
    std::unique_ptr<VideoReader> start(int64_t frames, bool memory_ends = false) { return live(std::make_unique<Minutes>(frames, read_, memory_ends), std::make_shared<Gate>(), false); }
    // Waits until n frames have been read, and as long again as a reader that goes on would take for more of them.
    void settle(int64_t n) const {
        for (int i = 0; *read_ < n && i < 3000; i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    const std::shared_ptr<std::atomic<int64_t>> read_ = std::make_shared<std::atomic<int64_t>>(0);
};

TEST_F(LiveStream, TenMinutesOfSoundWaitThenTheStreamDoes) {
    const auto reader = start(25);
    settle(10);
    EXPECT_EQ(*read_, 10);
    std::vector<float> sound;
    auto frame = reader->next(&sound);
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((**frame).seconds, 540);
    EXPECT_EQ(sound.size(), static_cast<size_t>(600 * sound_rate));
    settle(20);
    EXPECT_EQ(*read_, 20);
    while (frame && *frame) frame = reader->next(&sound);
    ASSERT_TRUE(frame) << frame.error().message;
    ASSERT_EQ(sound.size(), static_cast<size_t>(25 * 60 * sound_rate));
    for (size_t k = 0; k < 25; k++) EXPECT_EQ(sound[k * 60 * sound_rate], static_cast<float>(k));
}

TEST_F(LiveStream, EndsWhileItWaitsForTheCaller) {
    const auto reader = start(1000);
    settle(10);
    EXPECT_EQ(*read_, 10);  // the destructor does the rest
}

TEST_F(LiveStream, AReaderOutOfMemoryIsAnError) {
    const auto reader = start(2, true);
    std::vector<float> sound;
    auto frame = reader->next(&sound);
    while (frame && *frame) frame = reader->next(&sound);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Code::over_budget);
    EXPECT_EQ(frame.error().message, "the stream: out of memory for its next frame");
    EXPECT_EQ(sound.size(), static_cast<size_t>(2 * 60 * sound_rate));
}

}  // namespace
}  // namespace gemma3n::media
