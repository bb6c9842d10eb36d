// The cache that Hugging Face's tools share, as it lies on disk (docs/models.md):
//   CACHE/models--ORG--REPO/refs/main                    the commit that "main" was when it was last fetched
//   CACHE/models--ORG--REPO/blobs/ETAG                   the bytes of a file, named by their checksum
//   CACHE/models--ORG--REPO/snapshots/COMMIT/FILE        a symbolic link to ../../blobs/ETAG
//   CACHE/.locks/models--ORG--REPO/ETAG.lock             held by whoever downloads that blob
// This room reads and removes; what writes is hub/blob.
#pragma once

#include "hub/names.h"
#include "hub/settings.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace gemma3n::hub {

std::string repo_folder(const Settings& s, const std::string& repo);

// The path that starts the model: its GGUF or its snapshot folder; nothing when it is not (wholly) there. An error when the
// name fits several files.
Result<std::optional<std::string>> find_model(const Settings& s, const Reference& r, bool mmproj = false);

struct Cached {
    std::string repo;
    std::string path;                // the snapshot of main, or the repository's folder when it has none
    std::vector<std::string> files;  // in that snapshot
    uint64_t bytes = 0;              // on disk, partial downloads included
    uint64_t partial_bytes = 0;
};
Result<std::vector<Cached>> list_models(const Settings& s);  // by name

// What is on disk for that repository; Code::not_found when nothing is.
Result<Cached> cached(const Settings& s, const std::string& repo);
// Removes exactly that repository's folder.
Status remove_model(const Settings& s, const std::string& repo);

}  // namespace gemma3n::hub
