// A model file from a model: any readable checkpoint in, a GGUF v3 file out, tensor by tensor. A directory with vision and audio towers gives
// two files, the model and its projector; a projector file gives a projector file. Memory stays at a few MB a thread beside
// the metadata: pages of the input are given back as soon as they are used. The bytes depend on the input and the options alone, not on
// the number of threads. A failed or cancelled call leaves nothing behind.
#pragma once

#include "base/result.h"
#include "format/mix.h"

#include <functional>
#include <string>

namespace gemma3n::quant {

struct Options {
    format::Mix mix = format::Mix::q8_0;
    std::string imatrix, rules;  // paths; empty: none
    std::string projector;       // where the towers of a directory go; empty: mmproj-NAME beside the output NAME
    bool text_only = false;      // leave the towers of a directory out
    int threads = 2;
    std::function<bool(double fraction)> progress;          // false cancels; may be empty
    std::function<void(const std::string& sentence)> note;  // what the person should know; may be empty
};

Status quantise(const std::string& input, const std::string& output, const Options& options);

}  // namespace gemma3n::quant
