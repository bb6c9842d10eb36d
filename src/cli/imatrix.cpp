// gemma3n imatrix: how large the inputs of each matrix are over a text, for quantize --imatrix.
#include "quant/imatrix.h"

#include "base/file.h"
#include "base/output_file.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "quant/collect.h"

#include <filesystem>

namespace gemma3n::cli {

int imatrix(const ImatrixOptions& o) {
    for (const std::string& input : {o.model.model, o.text_file}) {
        std::error_code no_input;  // is told when it is opened
        if (std::filesystem::equivalent(o.output, input, no_input)) return usage_error("--output is '" + o.output + "', which is an input: expected another file");
    }
    {
        OutputFile probe;  // an output that cannot be written is found before the work, not after it
        if (Status s = probe.open(o.output); !s) return report(s.error());
    }
    const auto file = File::open(o.text_file);
    if (!file) return report(file.error());
    std::string text((*file)->size(), '\0');
    if (Status s = (*file)->read(0, {reinterpret_cast<std::byte*>(text.data()), text.size()}); !s) return report(s.error());
    const auto engine = load(o.model);
    if (!engine) return report(engine.error());
    if (o.chunk > (*engine)->info().context_length) {
        return usage_error("-c is " + std::to_string(o.chunk) + ": the model's context has room for " + std::to_string((*engine)->info().context_length));
    }
    const auto ids = (*engine)->tokenize(text, {.add_bos = false});
    if (!ids) return report(ids.error());
    if (ids->empty()) return report({Code::bad_argument, o.text_file + ": holds no token"});
    Progress progress("reading the text");
    auto m = quant::collect_imatrix(**engine, *ids, o.chunk, [&](double fraction) { return progress.at(fraction); });
    if (!m) return report(m.error());
    m->dataset = std::filesystem::path(o.text_file).filename().string();
    const Status written = quant::write_imatrix(*m, o.output);
    return written ? exit_ok : report(written.error());
}

}  // namespace gemma3n::cli
