// Brings a model from the hub into the cache. What is there already is not fetched again; what was begun is gone on with; nothing
// stands under its good name before its checksum is right.
#pragma once

#include "hub/names.h"
#include "hub/settings.h"

#include <cstdint>
#include <functional>
#include <string>

namespace gemma3n::hub {

enum class Phase { asking, waiting, receiving, checking };

struct Moment {
    Phase phase = Phase::asking;
    std::string file;           // the one at hand
    uint64_t done = 0, total = 0;  // bytes, of all files
    uint64_t received = 0;         // of `done`, by this call
};

struct PullOptions {
    bool mmproj = false;
    std::function<bool(const Moment&)> progress;  // false: stop, keep what has come
};

struct Pulled {
    std::string path;  // the GGUF, or the snapshot folder
    int n_files = 0;
    uint64_t bytes = 0, received = 0;
};

bool has_network();  // false in a build without libcurl; pull then is an error of one sentence
Result<Pulled> pull(const Settings& s, const Reference& r, const PullOptions& options);

}  // namespace gemma3n::hub
