// The thread pool: every value once, in pieces of whole grains, whoever has a core.
#include "parallel/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace gemma3n::test {
namespace {

TEST(Pool, EveryValueOnce) {
    for (int n_threads : {1, 2, 3, 8, 33}) {
        Pool pool(n_threads);
        const PoolAwake awake(pool);
        for (int64_t n : {0, 1, 2, 15, 16, 17, 31, 100, 1000, 4097}) {
            for (int64_t grain : {1, 3, 16, 1000}) {
                std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
                std::atomic<int> bad{0};
                pool.split(n, grain, [&](int64_t begin, int64_t end, int worker) {
                    bad += begin % grain || begin >= end || (end % grain && end != n) || worker < 0 || worker >= n_threads;
                    for (int64_t i = begin; i < end; i++) seen[static_cast<size_t>(i)]++;
                });
                EXPECT_EQ(bad, 0) << n << " by " << grain << " on " << n_threads;
                for (const auto& s : seen) ASSERT_EQ(s, 1) << n << " by " << grain << " on " << n_threads;
            }
        }
    }
}

TEST(Pool, AWorkerHasOnePieceAtATime) {
    Pool pool(4);
    std::vector<std::atomic<int>> inside(4);
    std::atomic<int> twice{0};
    for (int i = 0; i < 100; i++) {
        pool.split(256, 1, [&](int64_t, int64_t, int worker) {
            twice += inside[static_cast<size_t>(worker)]++ != 0;
            std::this_thread::yield();
            inside[static_cast<size_t>(worker)]--;
        });
    }
    EXPECT_EQ(twice, 0);
}

// One worker stays in the first piece it takes, as if its core had been taken away, until the others have done all the rest.
TEST(Pool, OthersDoWhatAWorkerWithoutACoreHasNotBegun) {
    for (int n_threads : {2, 3}) {
        Pool pool(n_threads);
        for (int stuck = 0; stuck < n_threads; stuck++) {
            std::atomic<int64_t> done{0};
            std::atomic<bool> in_time{true};
            constexpr int64_t n = 960;
            const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
            pool.split(n, 1, [&](int64_t begin, int64_t end, int worker) {
                while (worker == stuck && done < n - (end - begin)) {
                    if (std::chrono::steady_clock::now() > deadline) {
                        in_time = false;
                        break;
                    }
                    std::this_thread::yield();
                }
                done += end - begin;
            });
            EXPECT_TRUE(in_time) << "worker " << stuck << " of " << n_threads << ": " << done << " values were done";
            EXPECT_EQ(done, n);
        }
    }
}

// Results of one region are there in the next, and what lies between regions is seen by all workers: many short ones, with sleeps.
TEST(Pool, RegionsFollowEachOther) {
    for (int n_threads : {2, 5}) {
        Pool pool(n_threads);
        std::vector<int64_t> values(64, 0);
        for (int64_t round = 1; round <= 20000; round++) {
            if (round == 10000) pool.begin();
            if (round % 2500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // workers fall asleep
            pool.split(64, 1, [&](int64_t begin, int64_t end, int) {
                for (int64_t i = begin; i < end; i++) values[static_cast<size_t>(i)] = values[static_cast<size_t>(i)] == round - 1 ? round : -1;
            });
        }
        pool.end();
        for (const int64_t v : values) ASSERT_EQ(v, 20000);
    }
}

}  // namespace
}  // namespace gemma3n::test
