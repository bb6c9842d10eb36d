// gemma3n slice: a slice of a model as a model of its own.
#include "quant/slice.h"

#include "base/cpu.h"
#include "cli/commands.h"
#include "cli/progress.h"

#include <cstdio>

namespace gemma3n::cli {

int slice(const SliceCommand& o) {
    Progress progress("writing");
    quant::SliceOptions options;
    options.to = o.to;
    options.dequantise = !o.dequantise.empty();
    options.threads = o.threads > 0 ? o.threads : physical_cores();
    options.progress = [&](double fraction) { return progress.at(fraction); };
    options.note = [](const std::string& sentence) {
        clear_progress();
        fprintf(stderr, "gemma3n: %s\n", sentence.c_str());
    };
    const Status done = quant::slice(o.input, o.output, options);
    return done ? exit_ok : report(done.error());
}

}  // namespace gemma3n::cli
