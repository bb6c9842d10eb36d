#include "base/file_lock.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

using namespace gemma3n;
using namespace std::chrono_literals;

namespace {

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "gemma3n-lock-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string lock() const { return path_ + "/x.lock"; }

private:
    std::string path_;
};

// As another process holds it.
int hold(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    EXPECT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
}

}  // namespace

TEST(FileLock, WaitsForItsHolderAndIsGivenBack) {
    const Folder folder;
    const int other = hold(folder.lock());
    std::atomic<int> asked{0};
    std::thread release([&] {
        while (asked < 3) std::this_thread::sleep_for(1ms);
        close(other);
    });
    {
        const auto lock = FileLock::take(folder.lock(), [&] { return ++asked < 1000; });
        release.join();
        ASSERT_TRUE(lock) << lock.error().message;
        EXPECT_GE(asked, 3);
        const int second = open(folder.lock().c_str(), O_RDWR | O_CLOEXEC);
        EXPECT_NE(flock(second, LOCK_EX | LOCK_NB), 0);
        close(second);
    }
    close(hold(folder.lock()));
}

TEST(FileLock, AWaitCanBeEnded) {
    const Folder folder;
    const int other = hold(folder.lock());
    const auto lock = FileLock::take(folder.lock(), [] { return false; });
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, Code::cancelled);
    close(other);
}

// Whoever releases may remove the file first: the next holder then locks a new file of that name, and a lock on the old one is worth nothing.
TEST(FileLock, ALockOnARemovedFileIsNone) {
    const Folder folder;
    const int first = hold(folder.lock());
    std::atomic<bool> taken{false};
    std::thread taker([&] {
        const auto lock = FileLock::take(folder.lock(), [] { return true; });
        taken = static_cast<bool>(lock);
    });
    std::this_thread::sleep_for(100ms);
    unlink(folder.lock().c_str());
    const int second = hold(folder.lock());
    close(first);
    std::this_thread::sleep_for(300ms);
    EXPECT_FALSE(taken);
    close(second);
    taker.join();
    EXPECT_TRUE(taken);
}

TEST(FileLock, AFolderThatIsNotThere) {
    const auto lock = FileLock::take("/nonexistent/x.lock", [] { return true; });
    ASSERT_FALSE(lock);
    EXPECT_NE(lock.error().message.find("/nonexistent/x.lock"), std::string::npos);
}
