// A directory under construction: made under a temporary name beside the good one, renamed when it is whole, removed when it is not.
#pragma once

#include "base/result.h"

#include <string>

namespace gemma3n {

class OutputDirectory {
public:
    OutputDirectory() = default;
    ~OutputDirectory();  // removes what is there unless close() succeeded
    OutputDirectory(const OutputDirectory&) = delete;
    OutputDirectory& operator=(const OutputDirectory&) = delete;

    Status create(const std::string& path);  // which is not there yet, or an empty directory
    Status write(const std::string& name, const std::string& content) const;
    std::string file(const std::string& name) const { return temporary_ + "/" + name; }  // where it is written
    // An error about the temporary directory, said of the one that was asked for.
    Error restated(Error e) const;
    Status close();

private:
    std::string path_, temporary_;
};

}  // namespace gemma3n
