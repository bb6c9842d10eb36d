// A model's weights in another type, for as long as they are measured: what `quantize` makes of it, in a folder of its own under the system's
// place for temporary files (TMPDIR), which goes when this goes.
#pragma once

#include "base/output_directory.h"
#include "format/mix.h"

#include <functional>
#include <string>

namespace gemma3n::cli {

class OtherType {
public:
    // `towers`: those of the directory, or of the projector file beside the GGUF file, too. Weights that are quantised already are rounded a second time.
    Status make(const std::string& model, format::Mix mix, bool towers, int threads, const std::function<bool(double fraction)>& progress);
    const std::string& path() const { return path_; }  // a GGUF file, its projector beside it

private:
    OutputDirectory folder_;  // never closed, so that its end removes it
    std::string path_;
};

}  // namespace gemma3n::cli
