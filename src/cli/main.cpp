// The command line: what can be said, checked; the work is done in one file per command.
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/usage.h"
#include "format/mix.h"
#include "gemma3n/version.h"

#include <fcntl.h>

#include <limits>
#include <new>

using namespace gemma3n::cli;

namespace {

constexpr int64_t no_end = std::numeric_limits<int64_t>::max();

// Through a function, because CLI11 takes an empty argument for "not given" when the target is an optional.
CLI::Option* add_text(CLI::App* c, const std::string& names, std::optional<std::string>& o, const std::string& description) {
    return c->add_option_function<std::string>(names, [&o](const std::string& s) { o = s; }, description);
}

CLI::Option* add_switch(CLI::App* c, const char* name, bool& o, const char* description) {
    return c->add_flag(name, o, description)->disable_flag_override();
}

void add_model(CLI::App* c, ModelOptions& o, bool compute) {
    c->add_option("MODEL", o.model, "a .gguf file or a Hugging Face directory")->required()->transform(not_empty("a path"))->option_text(" ");
    if (!compute) return;
    c->add_option("-t,--threads", o.threads, "threads; default one per core")->transform(whole(1, 1024))->option_text("N");
    c->add_option("--activations", o.activations, "q8 (default), or f32: the exact path, slower")->transform(either("q8", "f32"))->option_text("TYPE");
    c->add_option("--kernels", o.kernels, "force a kernel table by name")->transform(not_empty("a name"))->option_text("NAME");
}

void add_run(CLI::App* c, RunOptions& o) {
    add_model(c, o.model, true);
    add_text(c, "PROMPT", o.prompt, "the prompt; piped text follows it after a blank line, or is it")->option_text(" ");
    auto* system = add_text(c, "--system", o.system, "system text, put in front of the first turn")->option_text("TEXT");
    c->add_option("--temp", o.temperature, "temperature, 0 = greedy; default 1")->transform(number(0, 100))->option_text("X");
    c->add_option("--top-k", o.top_k, "keep the k best candidates, 0 = all; default 64")->transform(whole(0, 1 << 24))->option_text("N");
    c->add_option("--top-p", o.top_p, "keep the best candidates of this total probability; default 0.95")->transform(number(0, 1))->option_text("X");
    c->add_option("--min-p", o.min_p, "drop candidates below this share of the best one's probability; default 0")->transform(number(0, 1))->option_text("X");
    c->add_option("--seed", o.seed, "seed of the sampler; default random")->transform(whole(0, no_end))->option_text("N");
    c->add_option("-n,--max-tokens", o.max_tokens, "tokens to generate at most; default until the answer ends")->transform(whole(0, no_end))->option_text("N");
    c->add_option("-c,--ctx-size", o.context, "room for tokens; default and most: the model's")->transform(whole(1, no_end))->option_text("N");
    add_switch(c, "--raw", o.raw, "continue plain text: no turn format")->excludes(system)->option_text(" ");
    add_switch(c, "--stats", o.stats, "print speed and memory to standard error");
    c->footer("Examples:\n"
              "  gemma3n run model.gguf                                a chat\n"
              "  gemma3n run model.gguf \"Why is the sky blue?\"         one answer\n"
              "  cat notes.txt | gemma3n run model.gguf \"Summarise\"    one answer about piped text\n");
}

void add_show(CLI::App* c, ShowOptions& o) {
    add_model(c, o.model, false);
    add_switch(c, "--json", o.json, "as a JSON object");
}

void add_tokenize(CLI::App* c, TokenizeOptions& o) {
    add_model(c, o.model, false);
    auto* text = add_text(c, "TEXT", o.text, "the text")->option_text(" ");
    add_text(c, "--file", o.file, "a file ('-': standard input): one JSON list of ids a line")->transform(not_empty("a path"))->option_text("FILE")->excludes(text);
    add_switch(c, "--no-bos", o.no_bos, "without <bos> in front");
    add_switch(c, "--parse-special", o.parse_special, "typed special tokens become their ids");
}

void add_trace(CLI::App* c, TraceOptions& o) {
    add_model(c, o.model, true);
    auto* prompt = add_text(c, "PROMPT", o.prompt, "the prompt, in the turn format")->option_text(" ");
    auto* raw = add_switch(c, "--raw", o.raw, "the prompt is plain text: no turn format")->option_text(" ");
    add_text(c, "--ids", o.ids, "token ids, taken as given, like 2,5,17")->option_text("LIST")->excludes(prompt)->excludes(raw);
    add_text(c, "--only", o.only, "tensors in whose names this regular expression is found")->transform(not_empty("a regular expression"))->option_text("REGEX");
    c->add_option("-o,--output", o.output, "the file to write")->required()->transform(not_empty("a path"))->option_text("OUT.safetensors");
}

void add_synth(CLI::App* c, SynthOptions& o) {
    c->add_option("--size", o.size, "e2b, e4b, gemma3-4b or tiny")->required()->option_text("SIZE");
    c->add_option("--type", o.type, "f32, f16, bf16, q8_0, q4_0 (default) or q4_k_m")->option_text("TYPE");
    c->add_option("--seed", o.seed, "seed of the weights; default 1")->transform(whole(0, no_end))->option_text("N");
    c->add_option("-o,--output", o.output, "OUT.gguf, or a directory for safetensors")->required()->transform(not_empty("a path"))->option_text("OUT");
}

void add_quantize(CLI::App* c, QuantizeOptions& o) {
    c->add_option("IN", o.input, "a Hugging Face directory or a .gguf file")->required()->transform(not_empty("a path"))->option_text(" ");
    c->add_option("-o,--output", o.output, "the file to write")->required()->transform(not_empty("a path"))->option_text("OUT.gguf");
    c->add_option("--type", o.type, "the mix of types: " + gemma3n::format::mix_names())->required()->option_text("TYPE");
    c->add_option("--imatrix", o.imatrix, "importance of columns, made by imatrix")->transform(not_empty("a path"))->option_text("FILE");
    c->add_option("--rules", o.rules, "types by tensor name: lines of a regular expression and a type")->transform(not_empty("a path"))->option_text("FILE");
    c->add_option("-t,--threads", o.threads, "threads; default one per core")->transform(whole(1, 1024))->option_text("N");
}

void add_imatrix(CLI::App* c, ImatrixOptions& o) {
    add_model(c, o.model, true);
    c->add_option("TEXTFILE", o.text_file, "text like that which the model will read")->required()->transform(not_empty("a path"))->option_text(" ");
    c->add_option("-o,--output", o.output, "the file to write")->required()->transform(not_empty("a path"))->option_text("OUT.gguf");
    c->add_option("-c,--chunk", o.chunk, "tokens that are read together; default 512")->transform(whole(2, no_end))->option_text("N");
}

// A standard stream that is closed would lend its number to the next file that is opened: a model would be read as the prompt.
void keep_standard_streams() {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) [[maybe_unused]] const int opened = open("/dev/null", O_RDONLY);
    }
}

}  // namespace

int main(int argc, char** argv) {
    keep_standard_streams();
    CLI::App app{"Gemma 3n on your own device.", "gemma3n"};
    app.set_help_flag("-h,--help", "this text");
    app.set_version_flag("--version", std::string("gemma3n ") + GEMMA3N_VERSION, "the version");
    app.require_subcommand(0, 1);
    app.get_formatter()->label("SUBCOMMAND", "COMMAND ...");
    app.footer("'gemma3n COMMAND --help' says what a command takes.\n");
    const auto command = [&](const char* name, const char* description) {
        auto* c = app.add_subcommand(name, description);
        c->group("Commands");
        return c;
    };

    RunOptions run_options;
    auto* run_command = command("run", "answer a prompt, or chat when none is given");
    add_run(run_command, run_options);
    ShowOptions show_options;
    auto* show_command = command("show", "what a model is: sizes, types, bytes, memory");
    add_show(show_command, show_options);
    TokenizeOptions tokenize_options;
    auto* tokenize_command = command("tokenize", "text to ids");
    add_tokenize(tokenize_command, tokenize_options);
    TraceOptions trace_options;
    auto* trace_command = command("trace", "named tensors of one forward pass, as a safetensors file");
    add_trace(trace_command, trace_options);
    SynthOptions synth_options;
    auto* synth_command = command("synth", "write a checkpoint of true shapes and random weights");
    add_synth(synth_command, synth_options);
    QuantizeOptions quantize_options;
    auto* quantize_command = command("quantize", "write a model with smaller types, or a directory as one GGUF file");
    add_quantize(quantize_command, quantize_options);
    ImatrixOptions imatrix_options;
    auto* imatrix_command = command("imatrix", "measure which columns matter over a text, for quantize --imatrix");
    add_imatrix(imatrix_command, imatrix_options);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
        usage_error(sentence(app, e));
        const CLI::App& named = named_command(app);
        fprintf(stderr, "'gemma3n %s--help' says what it takes.\n", &named == &app ? "" : (named.get_name() + " ").c_str());
        return exit_usage;
    }
    catch_interrupts();
    try {
        if (*run_command) return run(run_options);
        if (*show_command) return show(show_options);
        if (*tokenize_command) return tokenize(tokenize_options);
        if (*trace_command) return trace(trace_options);
        if (*synth_command) return synth(synth_options);
        if (*quantize_command) return quantize(quantize_options);
        if (*imatrix_command) return imatrix(imatrix_options);
    } catch (const std::bad_alloc&) {
        return report({gemma3n::Code::over_budget, "out of memory"});
    }
    fputs(app.help().c_str(), stderr);
    return exit_usage;
}
