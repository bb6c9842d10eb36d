// The command line: what can be said, checked; the work is done in one file per command.
#include "cli/commands.h"
#include "cli/progress.h"
#include "gemma3n/version.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

using namespace gemma3n::cli;

namespace {

void add_model(CLI::App* c, ModelOptions& o, bool compute) {
    c->add_option("MODEL", o.model, "a .gguf file or a Hugging Face directory")->required();
    if (!compute) return;
    c->add_option("-t,--threads", o.threads, "threads; default one per core")->check(CLI::Range(1, 1024));
    c->add_option("--activations", o.activations, "q8 (default) or f32, the exact path")->check(CLI::IsMember({"q8", "f32"}));
    c->add_option("--kernels", o.kernels, "force a kernel table by name");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Gemma 3n on your own device.", "gemma3n"};
    app.set_version_flag("--version", std::string("gemma3n ") + GEMMA3N_VERSION);
    app.require_subcommand(1);
    app.failure_message([](const CLI::App* a, const CLI::Error& e) {
        return "gemma3n: " + std::string(e.what()) + "\nRun '" + a->get_name() + " --help' for what it takes.\n";
    });

    RunOptions run_options;
    auto* run_command = app.add_subcommand("run", "answer a prompt, or chat when none is given");
    add_model(run_command, run_options.model, true);
    run_command->add_option("PROMPT", run_options.prompt, "the prompt; piped text follows it after a blank line, or is it");
    run_command->add_option("--system", run_options.system, "system text, put in front of the first turn");
    run_command->add_option("--temp", run_options.temperature, "temperature, 0 = greedy; default 1")->check(CLI::Range(0.0f, 100.0f));
    run_command->add_option("--top-k", run_options.top_k, "keep the k best candidates, 0 = all; default 64")->check(CLI::Range(0, 1 << 24));
    run_command->add_option("--top-p", run_options.top_p, "keep the best candidates of this total probability; default 0.95")->check(CLI::Range(0.0f, 1.0f));
    run_command->add_option("--min-p", run_options.min_p, "drop candidates below this share of the best; default 0")->check(CLI::Range(0.0f, 1.0f));
    run_command->add_option("--seed", run_options.seed, "of the sampler; default random");
    run_command->add_option("-n,--max-tokens", run_options.max_tokens, "tokens to generate at most")->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
    run_command->add_option("-c,--ctx-size", run_options.context, "room for tokens; default the model's")->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
    run_command->add_flag("--raw", run_options.raw, "continue plain text: no turn format");
    run_command->add_flag("--stats", run_options.stats, "print speed and memory to standard error");

    ShowOptions show_options;
    auto* show_command = app.add_subcommand("show", "what a model is: sizes, types, bytes, memory");
    add_model(show_command, show_options.model, false);
    show_command->add_flag("--json", show_options.json, "as a JSON object");

    TokenizeOptions tokenize_options;
    auto* tokenize_command = app.add_subcommand("tokenize", "text to ids");
    add_model(tokenize_command, tokenize_options.model, false);
    auto* text = tokenize_command->add_option("TEXT", tokenize_options.text, "the text");
    tokenize_command->add_option("--file", tokenize_options.file, "a file ('-': standard input): one JSON list of ids a line")->excludes(text);
    tokenize_command->add_flag("--no-bos", tokenize_options.no_bos, "without <bos> in front");
    tokenize_command->add_flag("--parse-special", tokenize_options.parse_special, "typed special tokens become their ids");

    TraceOptions trace_options;
    auto* trace_command = app.add_subcommand("trace", "named tensors of one forward pass, as a safetensors file");
    add_model(trace_command, trace_options.model, true);
    auto* prompt = trace_command->add_option("PROMPT", trace_options.prompt, "the prompt, in the turn format");
    trace_command->add_option("--ids", trace_options.ids, "token ids, taken as given: 2,5,17")->excludes(prompt);
    trace_command->add_option("--only", trace_options.only, "names in which this regular expression is found");
    trace_command->add_option("-o,--output", trace_options.output, "the file to write")->required();
    trace_command->add_flag("--raw", trace_options.raw, "no turn format");

    SynthOptions synth_options;
    auto* synth_command = app.add_subcommand("synth", "write a checkpoint of true shapes and random weights");
    synth_command->add_option("--size", synth_options.size, "e2b, e4b, gemma3-4b or tiny")->required()->check(CLI::IsMember({"e2b", "e4b", "gemma3-4b", "tiny"}));
    synth_command->add_option("--type", synth_options.type, "f32, f16, bf16, q8_0, q4_0 or q4_k_m")->check(CLI::IsMember({"f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m"}));
    synth_command->add_option("--seed", synth_options.seed, "default 1");
    synth_command->add_option("-o,--output", synth_options.output, "OUT.gguf, or a directory for safetensors")->required();

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? exit_ok : exit_usage;
    }
    catch_interrupts();
    if (*run_command) return run(run_options);
    if (*show_command) return show(show_options);
    if (*tokenize_command) return tokenize(tokenize_options);
    if (*trace_command) return trace(trace_options);
    return synth(synth_options);
}
