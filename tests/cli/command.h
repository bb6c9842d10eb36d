// The built command, spawned with pipes: what it says on either stream, how it ends, and never for longer than the time allowed.
#pragma once

#include "model/checkpoint_dir.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace gemma3n::test {

using Args = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

// The child's side of a fork: the command with its arguments.
[[noreturn]] inline void become_command(const Args& args, const char* executable = G3N_COMMAND) {
    std::vector<char*> argv{const_cast<char*>(executable)};
    for (const std::string& a : args) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execv(executable, argv.data());
    _exit(127);
}

// Exit code; 128 + the signal's number when one ended it.
inline int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

struct Ran {
    std::string out, err;
    int code = -1;
    bool timed_out = false;
};

struct Spawn {
    std::string input;                 // standard input, whole
    int interrupt_after_bytes = -1;    // SIGINT once standard output has brought as many
    std::string output_to;             // standard output goes to this file instead
    bool close_input = false;          // no standard input at all
    std::string executable = G3N_COMMAND;
    std::chrono::seconds limit{20};
};

inline Ran command(const Args& args, const Spawn& how = {}) {
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) throw std::runtime_error("no pipe");
    const pid_t child = fork();
    if (child == 0) {
        const int file = how.output_to.empty() ? out[1] : open(how.output_to.c_str(), O_WRONLY);
        dup2(in[0], 0), dup2(file, 1), dup2(err[1], 2);
        if (how.close_input) close(0);
        become_command(args, how.executable.c_str());
    }
    signal(SIGPIPE, SIG_IGN);  // a command that does not read its input is not our end
    close(in[0]), close(out[1]), close(err[1]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);

    Ran ran;
    size_t fed = 0;
    bool interrupted = false;
    pollfd fds[] = {{in[1], POLLOUT, 0}, {out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
    const auto shut = [](pollfd& p) { close(p.fd), p.fd = -1; };
    const auto end = Clock::now() + how.limit;
    while (fds[1].fd >= 0 || fds[2].fd >= 0) {
        if (Clock::now() > end) {
            ran.timed_out = true;
            kill(child, SIGKILL);
            break;
        }
        if (fds[0].fd >= 0 && fed == how.input.size()) shut(fds[0]);
        if (poll(fds, 3, 100) <= 0) continue;
        if (fds[0].revents) {
            const ssize_t n = write(in[1], how.input.data() + fed, how.input.size() - fed);
            if (n > 0) fed += static_cast<size_t>(n);
            else if (n < 0 && errno != EAGAIN) shut(fds[0]);
        }
        for (int i : {1, 2}) {
            if (!fds[i].revents) continue;
            char buffer[65536];
            const ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
            if (n > 0) (i == 1 ? ran.out : ran.err).append(buffer, static_cast<size_t>(n));
            else shut(fds[i]);
        }
        if (how.interrupt_after_bytes >= 0 && !interrupted && ran.out.size() >= static_cast<size_t>(how.interrupt_after_bytes)) {
            interrupted = true;
            kill(child, SIGINT);
        }
    }
    for (pollfd& p : fds)
        if (p.fd >= 0) shut(p);
    int status = 0;
    waitpid(child, &status, 0);
    ran.code = exit_code(status);
    return ran;
}

// A folder for the whole run of the tests, and in it the tiny model, made by the command itself.
inline const CheckpointDir& folder() {
    static const CheckpointDir dir;
    return dir;
}

inline const std::string& tiny() {
    static const std::string path = [] {
        const std::string p = folder().path() + "/tiny.gguf";
        const Ran made = command({"synth", "--size", "tiny", "--type", "q8_0", "--seed", "1", "-o", p});
        if (made.code != 0) throw std::runtime_error("the tiny model cannot be made: " + made.err);
        return p;
    }();
    return path;
}

inline std::string write_file(const std::string& name, const std::string& bytes) {
    const std::string path = folder().path() + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
}

inline std::string read_file(const std::string& path) {
    std::ostringstream all;
    all << std::ifstream(path, std::ios::binary).rdbuf();
    return all.str();
}

}  // namespace gemma3n::test
