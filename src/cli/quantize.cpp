// gemma3n quantize: a model file of smaller types, or a GGUF file from a Hugging Face directory.
#include "quant/quantise.h"

#include "base/cpu.h"
#include "cli/commands.h"
#include "cli/progress.h"

#include <cstdio>

namespace gemma3n::cli {

int quantize(const QuantizeOptions& o) {
    const auto mix = format::mix_from_name(o.type);
    if (!mix) return usage_error("type '" + o.type + "' is not known: expected " + format::mix_names());
    if (!format::plain_type(*mix) || o.imatrix.empty()) {
        Progress progress("quantising");
        quant::Options options;
        options.mix = *mix;
        options.imatrix = o.imatrix;
        options.rules = o.rules;
        options.projector = o.mmproj;
        options.text_only = o.text_only;
        options.threads = o.threads > 0 ? o.threads : physical_cores();
        options.progress = [&](double fraction) { return progress.at(fraction); };
        options.note = [](const std::string& s) { fprintf(stderr, "gemma3n: %s\n", s.c_str()); };
        const Status done = quant::quantise(o.input, o.output, options);
        return done ? exit_ok : report(done.error());
    }
    return usage_error("--imatrix says how to round to blocks: type " + o.type + " has none");
}

}  // namespace gemma3n::cli
