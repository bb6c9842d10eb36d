// Named tensors of the encoder for a Tap. A name comes once for every group of frames that the stream computes; the rows of the groups
// follow one another.
#pragma once

#include "model/text/decoder.h"

#include <string>
#include <utility>
#include <vector>

namespace gemma3n::model::audio {

// What a tensor's names begin with, for the module at work. `tap` may be null.
struct Tapped {
    Tap* tap = nullptr;
    std::string prefix = "audio.";

    Tapped in(const std::string& module) const { return {tap, tap ? prefix + module + "." : prefix}; }

    // `values` has as many values as the shape, in rows one after the other.
    void see(const char* name, std::vector<int64_t> shape, const View& values) const {
        if (tap && tap->wants(prefix + name)) tap->tensor(prefix + name, std::move(shape), values);
    }
    void see(const char* name, const View& rows) const { see(name, {rows.n_rows, rows.n_cols}, rows); }
};

}  // namespace gemma3n::model::audio
