// Sound that arrives faster than it is taken: ten minutes of it lie in the queue, the rest waits where it comes from.
#include "cli/sound_queue.h"

#include "cli/command.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace gemma3n::test {
namespace {

using cli::SoundQueue;

// So many seconds of 16 kHz, 8 bits each; sample i is the number of its second.
std::string seconds_of_wav(uint32_t seconds) {
    const uint32_t n = seconds * 16000;
    std::string s;
    const auto u32 = [&](uint32_t v) { s.append(reinterpret_cast<const char*>(&v), 4); };
    const auto u16 = [&](uint16_t v) { s.append(reinterpret_cast<const char*>(&v), 2); };
    s += "RIFF", u32(36 + n), s += "WAVEfmt ", u32(16), u16(1), u16(1), u32(16000), u32(16000), u16(1), u16(8), s += "data", u32(n);
    for (uint32_t i = 0; i < seconds; i++) s.append(16000, static_cast<char>(i));
    return s;
}

TEST(SoundQueueTest, TenMinutesWaitAndNothingIsLost) {
    const auto queue = SoundQueue::open(write_file("queue.wav", seconds_of_wav(1300)), [] { return true; });
    ASSERT_TRUE(queue) << queue.error().message;
    SoundQueue& q = **queue;
    std::vector<float> all;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; q.waiting() < SoundQueue::most && i < 3000; i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        std::this_thread::sleep_for(std::chrono::milliseconds(300));  // as long again as a reader that goes on would take for more
        EXPECT_GE(q.waiting(), SoundQueue::most);
        EXPECT_LE(q.waiting(), SoundQueue::most + sound_rate);
        const auto more = q.take(1, all);
        ASSERT_TRUE(more && *more);
    }
    for (bool more = true; more;) {
        const auto came = q.take(1 << 20, all);
        ASSERT_TRUE(came);
        more = *came;
    }
    ASSERT_EQ(all.size(), 1300u * 16000);
    for (size_t s = 0; s < 1300; s++) EXPECT_EQ(all[s * 16000], static_cast<float>(static_cast<int>(s % 256) - 128) / 128) << s;
}

TEST(SoundQueueTest, EndsWhileItIsFull) {
    const auto queue = SoundQueue::open(write_file("queue.wav", seconds_of_wav(1300)), [] { return true; });
    ASSERT_TRUE(queue);
    for (int i = 0; (*queue)->waiting() < SoundQueue::most && i < 3000; i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_GE((*queue)->waiting(), SoundQueue::most);  // the destructor does the rest
}

}  // namespace
}  // namespace gemma3n::test
