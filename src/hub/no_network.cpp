// In the place of the rooms that need libcurl and libcrypto, in a build without them.
#include "hub/pull.h"

namespace gemma3n::hub {

bool has_network() { return false; }

Result<Pulled> pull(const Settings&, const Reference& r, const PullOptions&) {
    return fail(Code::unsupported, "%s cannot be fetched: this build has no network part (libcurl and libcrypto were not there when it was made)", r.repo.c_str());
}

}  // namespace gemma3n::hub
