// One file of the hub into the cache's blobs, and the link to it in a snapshot.
#pragma once

#include "hub/pull.h"
#include "hub/remote.h"

namespace gemma3n::hub {

struct BlobProgress {
    std::function<bool(Phase, uint64_t have)> at;       // bytes of the file that are on disk
    std::function<void(uint64_t n)> received;  // from the network, piece by piece
};

// blobs/<etag> under `folder` (CACHE/models--ORG--REPO), whole and checked. The lock is the one huggingface_hub takes.
Status fetch_blob(Remote& remote, const RemoteFile& file, const std::string& folder, const std::string& locks, const BlobProgress& progress);

// snapshots/COMMIT/PATH -> ../../blobs/ETAG
Status link_blob(const std::string& folder, const std::string& commit, const RemoteFile& file);

// refs/main, replaced whole
Status write_ref(const std::string& folder, const std::string& commit);

}  // namespace gemma3n::hub
