// What the targets share: a place for the input as a file, and a check that outlives NDEBUG.
#pragma once

#include "gemma3n/engine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace gemma3n::fuzz {

inline void check(bool ok, const char* what) {
    if (ok) return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

inline std::string_view as_text(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

// A directory of this process, removed at its end. Files are written anew for every input.
class Directory {
public:
    Directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "gemma3n-fuzz-XXXXXX").string();
        check(mkdtemp(pattern.data()) != nullptr, "a temporary directory");
        path_ = pattern;
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }
    std::string put(const std::string& name, std::string_view content) const {
        const std::string path = path_ + "/" + name;
        const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        check(fd >= 0 && write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()), "an input file");
        close(fd);
        return path;
    }

private:
    std::string path_;
};

// A sentence: not empty, one line, printable as far as it is ours to say.
inline void check_error(const Error& e) {
    check(!e.message.empty(), "an error has a sentence");
    check(e.message.find('\n') == std::string::npos, "a sentence is one line");
}

// Loads the model and, where that works, lets it say a few tokens.
inline void load_and_run(const std::string& path) {
    auto engine = Engine::load(path, {.threads = 1, .kernels = "reference"});
    if (!engine) return check_error(engine.error());
    auto session = (*engine)->new_session({.chunk_tokens = 2});
    if (!session) return check_error(session.error());
    const int64_t vocab = (*engine)->info().vocab;
    const int ids[] = {0, static_cast<int>(vocab - 1), static_cast<int>(vocab / 2)};
    const auto answer = (*session)->generate(ids, {.max_tokens = 3});
    if (!answer) return check_error(answer.error());
    for (const int id : answer->ids) check(id >= 0 && id < vocab, "a sampled id is of the vocabulary");
}

}  // namespace gemma3n::fuzz
