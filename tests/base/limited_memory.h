// Runs a part of a test where memory is scarce.
#pragma once

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <string>

namespace gemma3n::test {

// The address sanitizer reserves terabytes of addresses: no limit there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool limits_memory = false;
#else
inline constexpr bool limits_memory = true;
#endif

// f in a child process whose memory is limited; true when it came to its end.
template <class F>
testing::AssertionResult ends_within(uint64_t megabytes, F&& f) {
    const pid_t child = fork();
    if (child == 0) {
        if (limits_memory) {
            const rlimit limit{megabytes << 20, megabytes << 20};
            setrlimit(RLIMIT_AS, &limit);
        }
        try {
            f();
        } catch (const std::bad_alloc&) {
            _exit(3);
        }
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return testing::AssertionSuccess();
    return testing::AssertionFailure() << (WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status)) : WEXITSTATUS(status) == 3 ? "out of memory" : "failed");
}

}  // namespace gemma3n::test
