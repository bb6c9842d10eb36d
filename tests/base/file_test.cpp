// Mapped files: what cannot be opened says why; a file that shrinks under its mapping is noticed and the process lives; faults and
// signals that are not ours go where they went before.
#include "base/file.h"

#include "base/temporary_file.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <numeric>
#include <thread>

namespace gemma3n::test {
namespace {

std::string pattern(size_t n) {
    std::string s(n, '\0');
    for (size_t i = 0; i < n; i++) s[i] = static_cast<char>(i * 7 + i / 256 + 1);
    return s;
}

std::shared_ptr<File> open(const std::string& path) {
    auto f = File::open(path);
    EXPECT_TRUE(f) << f.error().message;
    return f ? *f : nullptr;
}

uint64_t sum(const File& f) {
    const auto* bytes = reinterpret_cast<const volatile uint8_t*>(f.data());  // every byte is touched, whoever wants the sum
    uint64_t n = 0;
    for (uint64_t i = 0; i < f.size(); i++) n += bytes[i];
    return n;
}

TEST(File, SaysWhyItCannotBeOpened) {
    const auto missing = File::open("/no/such/file");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::not_found);
    EXPECT_EQ(missing.error().message, "/no/such/file: cannot be opened: No such file or directory");

    const auto directory = File::open("/");
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().code, Code::bad_file);
    EXPECT_EQ(directory.error().message, "/: is not a regular file");

    const TemporaryFile empty;
    const auto nothing = File::open(empty.path());
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, Code::bad_file);
    EXPECT_EQ(nothing.error().message, empty.path() + ": is empty");
}

TEST(File, APipeIsRefusedAndNotWaitedFor) {
    const TemporaryFile place;
    const std::string path = place.path() + ".pipe";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const auto f = File::open(path);
    unlink(path.c_str());
    ASSERT_FALSE(f);
    EXPECT_EQ(f.error().message, path + ": is not a regular file");
}

TEST(File, MapsAndReadsTheSameBytes) {
    const std::string content = pattern(10000);
    const TemporaryFile t(content);
    const auto f = open(t.path());
    ASSERT_TRUE(f);
    ASSERT_EQ(f->size(), content.size());
    EXPECT_EQ(memcmp(f->data(), content.data(), content.size()), 0);
    std::vector<std::byte> part(1000);
    ASSERT_TRUE(f->read(9000, part));
    EXPECT_EQ(memcmp(part.data(), content.data() + 9000, part.size()), 0);
    ASSERT_TRUE(f->read(10000, {}));
    EXPECT_TRUE(f->intact());
}

TEST(File, RefusesToReadBeyondItsEnd) {
    const TemporaryFile t(pattern(100));
    const auto f = open(t.path());
    ASSERT_TRUE(f);
    std::vector<std::byte> out(20);
    for (const uint64_t at : {uint64_t{81}, uint64_t{100}, uint64_t{101}, ~uint64_t{0}, ~uint64_t{0} - 19}) {
        const Status s = f->read(at, out);
        ASSERT_FALSE(s) << at;
        EXPECT_EQ(s.error().code, Code::bad_file);
        EXPECT_NE(s.error().message.find("20 bytes at offset " + std::to_string(at) + ": the file has 100"), std::string::npos) << s.error().message;
    }
    EXPECT_TRUE(f->read(80, out));
}

TEST(File, AdviceForAnyRangeIsHarmless) {
    const std::string content = pattern(3 * 4096 + 17);
    const TemporaryFile t(content);
    const auto f = open(t.path());
    ASSERT_TRUE(f);
    for (const Advice a : {Advice::will_need, Advice::dont_need}) {
        for (const auto& [offset, n] : {std::pair<uint64_t, uint64_t>{0, 0}, {0, f->size()}, {1, 4096}, {4095, ~uint64_t{0}}, {~uint64_t{0}, 1}}) f->advise(offset, n, a);
    }
    EXPECT_EQ(memcmp(f->data(), content.data(), content.size()), 0);
}

TEST(File, TruncatedWhileMappedIsNoticedAndTheProcessLives) {
    const TemporaryFile t(pattern(5 * 4096));
    const TemporaryFile other(pattern(5 * 4096));
    const auto f = open(t.path()), g = open(other.path());
    ASSERT_TRUE(f && g);
    const uint64_t before = sum(*g);
    t.truncate(4096);
    sum(*f);  // raises SIGBUS in the second page
    const Status s = f->intact();
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().code, Code::io);
    EXPECT_EQ(s.error().message, t.path() + ": the file has shrunk from 20480 to 4096 bytes while it was in use");
    EXPECT_TRUE(g->intact());
    EXPECT_EQ(sum(*g), before);
}

TEST(File, ThatShrankStaysBrokenWhenItGrowsAgain) {
    std::vector<std::byte> out(10);
    for (const bool touched : {true, false}) {  // found by a fault in the mapping, or by a read
        const TemporaryFile t(pattern(5 * 4096));
        const auto f = open(t.path());
        ASSERT_TRUE(f);
        t.truncate(4096);
        if (touched) {
            sum(*f);
        } else {
            EXPECT_FALSE(f->read(8000, out));
        }
        t.truncate(5 * 4096);
        const Status s = f->intact();
        ASSERT_FALSE(s);
        EXPECT_NE(s.error().message.find("could not be read while it was in use; it had 20480 bytes"), std::string::npos) << s.error().message;
    }
}

TEST(File, ManyThreadsFaultAtOnceWhileOthersOpenAndClose) {
    const TemporaryFile steady(pattern(4096));
    std::atomic<bool> stop{false};
    std::thread opener([&] {
        while (!stop) open(steady.path());
    });
    for (int round = 0; round < 20; round++) {
        const TemporaryFile t(pattern(16 * 4096));
        const auto f = open(t.path());
        t.truncate(1);
        std::vector<std::thread> readers;
        for (int i = 0; i < 4; i++) readers.emplace_back([&] { sum(*f); });
        for (auto& r : readers) r.join();
        EXPECT_FALSE(f->intact());
    }
    stop = true;
    opener.join();
}

// A mapping that is not ours, cut short.
volatile char* foreign_mapping() {
    static const TemporaryFile t(pattern(2 * 4096));
    const int fd = ::open(t.path().c_str(), O_RDONLY);
    void* p = mmap(nullptr, 2 * 4096, PROT_READ, MAP_SHARED, fd, 0);
    t.truncate(1);
    return static_cast<volatile char*>(p);
}

using FileDeathTest = testing::Test;

TEST(FileDeathTest, AFaultOfOthersEndsTheProcessAsItWouldHave) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            signal(SIGBUS, SIG_DFL);  // a sanitizer's handler would print and exit
            const TemporaryFile t(pattern(10));
            const auto f = open(t.path());
            const char c = foreign_mapping()[4096 + 1];
            _exit(c == 0);
        },
        testing::KilledBySignal(SIGBUS), "");
}

TEST(FileDeathTest, ASignalThatSomebodySendsEndsTheProcessAsItWouldHave) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            signal(SIGBUS, SIG_DFL);
            const TemporaryFile t(pattern(10));
            const auto f = open(t.path());
            kill(getpid(), SIGBUS);
            _exit(0);
        },
        testing::KilledBySignal(SIGBUS), "");
}

TEST(FileDeathTest, AFaultOfOthersGoesToTheHandlerThatWasThereBefore) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            signal(SIGBUS, [](int) { _exit(42); });
            const TemporaryFile t(pattern(10));
            const auto f = open(t.path());
            const char c = foreign_mapping()[4096 + 1];
            _exit(c == 0);
        },
        testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace gemma3n::test
