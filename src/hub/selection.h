// Which files of a repository make a model: one GGUF, or the files of a Hugging Face directory.
#pragma once

#include "base/result.h"
#include "hub/names.h"

#include <string>
#include <vector>

namespace gemma3n::hub {

struct Selection {
    std::vector<std::string> files;  // paths inside the repository
    bool directory = false;          // a Hugging Face directory; otherwise files[0] is the GGUF
};

// `mmproj`: also the one mmproj-*.gguf beside the GGUF. Code::not_found when no file fits, Code::bad_argument when several do.
Result<Selection> select_files(const std::vector<std::string>& names, const Reference& r, bool mmproj);

}  // namespace gemma3n::hub
