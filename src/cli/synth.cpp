// gemma3n synth: a checkpoint of true shapes and random weights.
#include "synth/synth.h"

#include "base/cpu.h"
#include "cli/commands.h"
#include "cli/progress.h"

namespace gemma3n::cli {

int synth(const SynthOptions& o) {
    const synth::Shape* shape = synth::find_shape(o.size);
    const auto mix = format::mix_from_name(o.type);
    if (!shape) return usage_error("size '" + o.size + "' is not known: expected e2b, e4b, gemma3-4b, tiny or elastic");
    if (!mix) return usage_error("type '" + o.type + "' is not known: expected " + format::mix_names());
    if (o.towers && !shape->vision) return usage_error("--towers: a model of size " + o.size + " has none here");
    const bool gguf = o.output.ends_with(".gguf");
    if (!gguf && !format::plain_type(*mix)) {
        return usage_error(o.output + ": a Hugging Face directory holds f32, f16 or bf16, not " + o.type + ": name a file that ends in .gguf, or another --type");
    }
    Progress progress("writing");
    synth::Options options;
    options.seed = o.seed;
    options.towers = o.towers;
    options.threads = physical_cores();
    options.progress = [&](double fraction) { return progress.at(fraction); };
    const Status done = gguf ? synth::write_gguf(*shape, *mix, o.output, options) : synth::write_hf(*shape, *mix, o.output, options);
    return done ? exit_ok : report(done.error());
}

}  // namespace gemma3n::cli
