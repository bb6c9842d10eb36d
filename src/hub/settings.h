// Where the cache and the hub are: the environment that Hugging Face's own tools read, so that all share one cache.
#pragma once

#include "base/result.h"

#include <string>

namespace gemma3n::hub {

struct Settings {
    std::string endpoint;    // without a '/' at the end
    std::string cache;       // the folder of the models--ORG--REPO folders
    std::string token;       // empty: none
    std::string token_file;  // where one is looked for, for sentences
    bool offline = false;
    int stall_s = 30;        // a connection that brings nothing for so long counts as cut
};

// From HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE, HF_HUB_DOWNLOAD_TIMEOUT.
// `token` (if not empty) and `offline` (if true) come from the command line and win.
Result<Settings> settings(const std::string& token, bool offline);

}  // namespace gemma3n::hub
