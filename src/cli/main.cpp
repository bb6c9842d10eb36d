// The command line: what can be said, checked; the work is done in one file per command.
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/usage.h"
#include "format/mix.h"
#include "gemma3n/version.h"

#include <fcntl.h>

#include <functional>
#include <limits>
#include <new>
#include <utility>
#include <vector>

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

void add_kv(CLI::App* c, ModelOptions& o) {
    c->add_option("--kv", o.kv, "type of keys and values: f32, f16 or q8 (8 bit); default f16, or f32 with f32 activations")->transform(one_of({"f32", "f16", "q8"}))->option_text("TYPE");
}

void add_compute(CLI::App* c, ModelOptions& o) {
    c->add_option("-t,--threads", o.threads, "threads; default one per core")->transform(whole(1, 1024))->option_text("N");
    c->add_option("--activations", o.activations, "q8 (default), or f32: the exact path, slower")->transform(one_of({"q8", "f32"}))->option_text("TYPE");
    add_kv(c, o);
    c->add_option("--kernels", o.kernels, "force a kernel table by name")->transform(not_empty("a name"))->option_text("NAME");
}

void add_mmproj(CLI::App* c, ModelOptions& o) {
    c->add_option("--mmproj", o.mmproj, "the file with vision and audio; default the mmproj-*.gguf beside MODEL")->transform(not_empty("a path"))->option_text("FILE");
}

void add_memory(CLI::App* c, ModelOptions& o) {
    c->add_option("--memory", o.memory, "the most memory that may be used, like 2G or 1500M: what does not fit is refused before anything is loaded")->transform(byte_size())->option_text("SIZE");
}

void add_target(CLI::App* c, ModelOptions& o) {
    c->add_option("--target-tps", o.target_tps, "of --size fit: answers no slower than this, by how fast the weights can be read here")->transform(number(0, 1e6))->option_text("X");
}

void add_model(CLI::App* c, ModelOptions& o, bool compute) {
    c->add_option("MODEL", o.model, "a .gguf file, a Hugging Face directory, or a name: nano, e2b, e4b, 270m, ORG/REPO[:QUANT]")->required()->transform(not_empty("a path"))->option_text(" ");
    if (compute) add_compute(c, o);
}

// Pictures, sound and video, in the order in which they stand on the command line, whatever they are.
void add_media(CLI::App* c, ModelOptions& m, MediaFlags& o) {
    const auto files = [&](const char* name, MediaFile::Kind kind, const char* description) {
        c->add_option_function<std::string>(name, [&o, kind](const std::string& path) { o.files.push_back({kind, path}); }, description)
            ->trigger_on_parse()->transform(not_empty("a path"))->option_text("FILE");
    };
    files("--image", MediaFile::Kind::image, "a picture in front of the text: JPEG, PNG or WebP; may be repeated, as the next two");
    files("--audio", MediaFile::Kind::sound, "a recording ('-': standard input); long ones are cut into clips at quiet points");
    files("--video", MediaFile::Kind::video, "frames of a video and its sound, by time ('-': standard input)");
    c->add_option("--image-size", o.image_side, "pixels a side, a multiple of 32; default the model's for pictures, 256 for frames")->transform(multiple(32, 4096))->option_text("N");
    c->add_option("--audio-tokens", o.audio_tokens, "fixed (default): a clip is filled up to the model's number of tokens; dynamic: its own only")->transform(one_of({"fixed", "dynamic"}))->option_text("HOW");
    c->add_option("--fps", o.fps, "frames a second of a video; default 1")->transform(number(0.001, 1000))->option_text("X");
    c->add_option("--max-frames", o.max_frames, "frames of a video at most: a longer one's are spread over it; default 32")->transform(whole(1, 100000))->option_text("N");
    add_mmproj(c, m);
}

// The slice of the model that is run; "fit" is offered where a limit was added before.
void add_size(CLI::App* c, ModelOptions& o) {
    const std::string fit = c->get_option_no_throw("--memory") ? ", or fit: the best that fits --memory" : "";
    c->add_option("--size", o.size, "a slice of the model: full (default), e2b, 2.98b, another name that show lists, a .json or .csv file" + fit)->transform(not_empty("a name"))->option_text("NAME");
}

void add_run(CLI::App* c, RunOptions& o) {
    add_model(c, o.model, true);
    add_text(c, "PROMPT", o.prompt, "the prompt; piped text follows it after a blank line, or is it")->option_text(" ");
    add_media(c, o.model, o.media);
    c->add_option("--camera", o.camera, "what a camera sees while you ask: a device like /dev/video0, or a video; each question gets the newest frames (--max-frames, here default 4)")->transform(not_empty("a device"))->option_text("DEVICE");
    auto* draw = c->add_flag_callback("--draw", [&o] { o.media.draw = true; }, "draw what is attached in the terminal, at most 48 columns wide; a chat in a terminal does")->disable_flag_override();
    c->add_flag_callback("--no-draw", [&o] { o.media.draw = false; }, "but not this one")->disable_flag_override()->excludes(draw)->option_text(" ");
    auto* system = add_text(c, "--system", o.system, "system text, put in front of the first turn")->option_text("TEXT");
    c->add_option("--temp", o.temperature, "temperature, 0 = greedy; default 1")->transform(number(0, 100))->option_text("X");
    c->add_option("--top-k", o.top_k, "keep the k best candidates, 0 = all; default 64")->transform(whole(0, 1 << 24))->option_text("N");
    c->add_option("--top-p", o.top_p, "keep the best candidates of this total probability; default 0.95")->transform(number(0, 1))->option_text("X");
    c->add_option("--min-p", o.min_p, "drop candidates below this share of the best one's probability; default 0")->transform(number(0, 1))->option_text("X");
    c->add_option("--seed", o.seed, "seed of the sampler; default random")->transform(whole(0, no_end))->option_text("N");
    c->add_option("-n,--max-tokens", o.max_tokens, "tokens to generate at most; default until the answer ends")->transform(whole(0, no_end))->option_text("N");
    c->add_option("-c,--ctx-size", o.context, "room for tokens; default and most: the model's")->transform(whole(1, no_end))->option_text("N");
    add_memory(c, o.model);
    add_size(c, o.model);
    c->add_option("--prefill-size", o.prefill_size, "the slice that reads the prompt; default that of --size")->transform(not_empty("a name"))->option_text("NAME");
    add_switch(c, "--release", o.release, "after a change to a smaller size, give back the memory that only the larger one needs");
    add_switch(c, "--raw", o.raw, "continue plain text: no turn format")->excludes(system)->option_text(" ");
    add_target(c, o.model);
    add_switch(c, "--offline", o.model.offline, "fetch nothing: a named model must be in the cache");
    o.model.pull = true;
    c->add_flag("--stats", o.stats, "print speed and memory to standard error; --stats=short: in one line")->transform(one_of({"full", "short"}))->transform(CLI::Validator([](std::string& s) {
        if (s == "true") s = "full";  // CLI11's word for a flag without a value
        return std::string();
    }, ""));
    c->footer("Examples:\n"
              "  gemma3n run model.gguf                                a chat\n"
              "  gemma3n run e2b                                       a chat with a model fetched once (docs/models.md)\n"
              "  gemma3n run model.gguf \"Why is the sky blue?\"         one answer\n"
              "  cat notes.txt | gemma3n run model.gguf \"Summarise\"    one answer about piped text\n"
              "  gemma3n run model.gguf --image a.jpg \"What is this?\"  one answer about a picture (docs/multimodal.md)\n");
}

void add_show(CLI::App* c, ShowOptions& o) {
    add_model(c, o.model, false);
    add_mmproj(c, o.model);
    add_memory(c, o.model);
    add_size(c, o.model);
    add_target(c, o.model);
    add_kv(c, o.model);
    c->add_option("-c,--ctx-size", o.needs.context_tokens, "tokens that the plan of memory counts; default the model's, or under --memory what fits")->transform(whole(1, no_end))->option_text("N");
    c->add_option("--image-size", o.needs.image_side, "pictures in that plan: pixels a side")->transform(whole(1, 1 << 16))->option_text("N");
    add_switch(c, "--sound", o.needs.sound, "sound in that plan");
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
    add_media(c, o.model, o.media);
    add_text(c, "--ids", o.ids, "token ids, taken as given, like 2,5,17")->option_text("LIST")->excludes(prompt)->excludes(raw);
    add_size(c, o.model);
    add_text(c, "--only", o.only, "tensors in whose names this regular expression is found")->transform(not_empty("a regular expression"))->option_text("REGEX");
    c->add_option("-o,--output", o.output, "the file to write")->required()->transform(not_empty("a path"))->option_text("OUT.safetensors");
}

void add_transcribe(CLI::App* c, TranscribeCommand& o) {
    add_model(c, o.model, true);
    add_memory(c, o.model);
    add_size(c, o.model);
    c->add_option("FILE", o.files, "recordings ('-': standard input), of any length: clips are cut at quiet points")->required()->expected(1, 100000)->transform(not_empty("a path"))->option_text("...");
    c->add_option("--language", o.language, "what is spoken, as English; default: the model finds out")->transform(not_empty("a language"))->option_text("LANG");
    c->add_option("--translate-to", o.translate_to, "write the text in this language")->transform(not_empty("a language"))->option_text("LANG");
    c->add_option("--prompt", o.prompt, "ask this of each clip, in place of 'Transcribe the following speech segment in LANG:'")->transform(not_empty("text"))->option_text("TEXT");
    c->add_option("--format", o.format, "txt (default), json, srt or vtt")->transform(one_of({"txt", "json", "srt", "vtt"}))->option_text("TYPE");
    auto* live = add_switch(c, "--live", o.live, "while the sound arrives: what it seems to say so far, on standard error");
    c->add_option("--every", o.every, "with --live: seconds of sound between two looks; default 3")->needs(live)->transform(number(0.2, 3600))->option_text("X");
    c->add_option("--audio-tokens", o.audio_tokens, "fixed (default) or dynamic, as in run")->transform(one_of({"fixed", "dynamic"}))->option_text("HOW");
    c->add_option("-n,--max-tokens", o.max_tokens, "tokens of a clip's text at most; default 512")->transform(whole(1, no_end))->option_text("N");
    add_mmproj(c, o.model);
    c->footer("Examples:\n"
              "  gemma3n transcribe model.gguf talk.mp3 > talk.txt\n"
              "  gemma3n transcribe model.gguf film.mp4 --translate-to German --format srt > film.srt\n"
              "  arecord -f S16_LE -r 16000 | gemma3n transcribe model.gguf - --live\n");
}

void add_synth(CLI::App* c, SynthOptions& o) {
    c->add_option("--size", o.size, "e2b, e4b, gemma3-4b, tiny or elastic")->required()->option_text("SIZE");
    c->add_option("--type", o.type, "the mix of types, q4_0 unless told: " + gemma3n::format::mix_names())->option_text("TYPE");
    c->add_option("--seed", o.seed, "seed of the weights; default 1")->transform(whole(0, no_end))->option_text("N");
    add_switch(c, "--towers", o.towers, "with vision and audio: in the directory, or as mmproj-OUT.gguf beside OUT.gguf");
    c->add_option("-o,--output", o.output, "OUT.gguf, or a directory for safetensors")->required()->transform(not_empty("a path"))->option_text("OUT");
}

void add_pull(CLI::App* c, PullCommand& o) {
    c->add_option("NAME", o.name, "e2b, e4b, 270m, ORG/REPO, ORG/REPO:QUANT or ORG/REPO:FILE.gguf")->required()->transform(not_empty("a name"))->option_text(" ");
    add_switch(c, "--mmproj", o.mmproj, "also the repository's mmproj-*.gguf");
    add_switch(c, "--offline", o.offline, "fetch nothing: only say where it lies in the cache");
    c->add_option("--token", o.token, "access token; default HF_TOKEN, or the file that 'hf auth login' writes")->transform(not_empty("a token"))->option_text("TOKEN");
}

void add_list(CLI::App* c, ListOptions& o) { add_switch(c, "--json", o.json, "as a JSON list"); }

void add_rm(CLI::App* c, RmOptions& o) {
    c->add_option("NAME", o.name, "ORG/REPO, e2b, e4b or 270m")->required()->transform(not_empty("a name"))->option_text(" ");
    add_switch(c, "-y,--yes", o.yes, "do not ask");
}

void add_perplexity(CLI::App* c, PerplexityOptions& o) {
    add_model(c, o.model, true);
    add_memory(c, o.model);
    add_size(c, o.model);
    c->add_option("FILE", o.file, "the text")->required()->transform(not_empty("a path"))->option_text(" ");
    c->add_option("-c,--ctx-size", o.n_ctx, "tokens of a window, of which the second half is scored; default 512")->transform(whole(4, 1 << 24))->option_text("N");
    auto* stride = c->add_option("--stride", o.stride, "windows begin every N tokens, their last N are scored")->transform(whole(1, 1 << 24))->option_text("N");
    c->add_option("--windows", o.windows, "the first N windows only")->transform(whole(1, no_end))->option_text("N");
    c->add_option("--save", o.save, "write a reference run: all log-probabilities, 2 bytes each")->transform(not_empty("a path"))->excludes(stride)->option_text("REF");
    c->add_option("--against", o.against, "compare with a reference run: KL, best tokens, ratio")->transform(not_empty("a path"))->excludes(stride)->option_text("REF");
    add_switch(c, "--json", o.json, "as a JSON object");
}

void add_eval(CLI::App* c, EvalOptions& o) {
    add_compute(c, o.model);
    add_memory(c, o.model);
    c->add_option("MODEL", o.models, "one or several models, columns of the table")->required()->expected(1, 64)->transform(not_empty("a path"))->option_text("...");
    c->add_option("--suite", o.suite, "the questions: a JSON object a line; default suite/suite.jsonl in the model's folder")->transform(not_empty("a path"))->option_text("FILE");
    c->add_option("--size", o.sizes, "slices of the model, like full,small, a column each; default the whole, and all that the file itself lists; fit: the best that fits --memory")->delimiter(',')->allow_extra_args(false)->transform(not_empty("a name"))->option_text("NAME,...");
    c->add_option("--decode-size", o.decode_size, "the slice that makes the answer, behind a prompt that --size has read")->transform(not_empty("a name"))->option_text("NAME");
    c->add_option("--switch-after", o.switch_after, "tokens of the answer that --size still makes; default 0")->transform(whole(0, no_end))->option_text("N");
    c->add_option("--types", o.types, "other types of the same weights, as quantize makes them, a column each; removed when they are measured: " + gemma3n::format::mix_names())->delimiter(',')->allow_extra_args(false)->transform(not_empty("a type"))->option_text("TYPE,...");
    c->add_option("--answers", o.answers, "write what was said to every question, a JSON object a line")->transform(not_empty("a path"))->option_text("FILE");
    add_switch(c, "--json", o.json, "as a JSON object");
}

void add_bench(CLI::App* c, BenchOptions& o) {
    add_model(c, o.model, true);
    auto* prompt = c->add_option("-p,--prompt", o.prompt, "ids of the prompt, spread over the vocabulary; default 512")->transform(whole(1, no_end))->option_text("N");
    auto* decode = c->add_option("-n,--decode", o.decode, "ids decoded after it, one by one; default 64")->transform(whole(1, no_end))->option_text("N");
    c->add_option("-r,--repeats", o.repeats, "times each is measured; the middle one counts; default 3")->transform(whole(1, 1000))->option_text("N");
    auto* seed = c->add_option("--seed", o.seed, "seed of the ids; default 1")->transform(whole(0, no_end))->option_text("N");
    auto* sizes = c->add_option("--size", o.sizes, "slices of the model, like e2b,full: of several all are measured in turns and compared with the first")->delimiter(',')->expected(1, 64)->transform(not_empty("a name"))->option_text("NAME,...");
    add_memory(c, o.model);
    add_switch(c, "--roof", o.roof, "measure what the machine can do, and print the share of it");
    auto* vision = c->add_option("--vision", o.vision, "pictures of R x R pixels to soft tokens, and the share of the roof; may be repeated")->transform(multiple(32, 4096))->allow_extra_args(false)->option_text("R");
    auto* audio = add_switch(c, "--audio", o.audio, "the same of sound: a clip as long as the model takes");
    for (auto* of_text : {prompt, decode, seed, sizes}) of_text->excludes(vision)->excludes(audio);
    add_mmproj(c, o.model);
    add_switch(c, "--json", o.json, "as a JSON object");
}

void add_quantize(CLI::App* c, QuantizeOptions& o) {
    c->add_option("IN", o.input, "a Hugging Face directory or a .gguf file")->required()->transform(not_empty("a path"))->option_text(" ");
    c->add_option("-o,--output", o.output, "the file to write")->required()->transform(not_empty("a path"))->option_text("OUT.gguf");
    c->add_option("--type", o.type, "the mix of types: " + gemma3n::format::mix_names())->required()->option_text("TYPE");
    c->add_option("--imatrix", o.imatrix, "importance of columns, made by imatrix")->transform(not_empty("a path"))->option_text("FILE");
    c->add_option("--rules", o.rules, "types by tensor name: lines of a regular expression and a type")->transform(not_empty("a path"))->option_text("FILE");
    auto* mmproj = c->add_option("--mmproj", o.mmproj, "the file for vision and audio of a directory; default mmproj-OUT.gguf beside OUT.gguf")->transform(not_empty("a path"))->option_text("OUT2.gguf");
    add_switch(c, "--text-only", o.text_only, "leave vision and audio of a directory out")->excludes(mmproj);
    c->add_option("-t,--threads", o.threads, "threads; default one per core")->transform(whole(1, 1024))->option_text("N");
}

void add_slice(CLI::App* c, SliceCommand& o) {
    c->add_option("IN", o.input, "a .gguf file or a Hugging Face directory")->required()->transform(not_empty("a path"))->option_text(" ");
    c->add_option("-o,--output", o.output, "OUT.gguf, or a directory for safetensors")->required()->transform(not_empty("a path"))->option_text("OUT");
    c->add_option("--to", o.to, "the slice: e2b, 2.98b, another name that show lists, or a .json or .csv file")->required()->transform(not_empty("a name"))->option_text("NAME");
    c->add_option("--dequantise", o.dequantise, "bf16: what is quantised becomes that, so that a directory can hold it")->transform(one_of({"bf16"}))->option_text("TYPE");
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
    std::vector<std::pair<CLI::App*, std::function<int()>>> commands;
    const auto command = [&](const char* name, const char* description, auto add, auto& options, auto work) {
        auto* c = app.add_subcommand(name, description);
        c->group("Commands");
        add(c, options);
        commands.emplace_back(c, [&options, work] { return work(options); });
    };

    RunOptions run_options;
    command("run", "answer a prompt, or chat when none is given", add_run, run_options, run);
    ShowOptions show_options;
    command("show", "what a model is: sizes, types, bytes, memory", add_show, show_options, show);
    TokenizeOptions tokenize_options;
    command("tokenize", "text to ids", add_tokenize, tokenize_options, tokenize);
    TraceOptions trace_options;
    command("trace", "named tensors of one forward pass, as a safetensors file", add_trace, trace_options, trace);
    TranscribeCommand transcribe_options;
    command("transcribe", "recordings or arriving speech to text, or to a translation", add_transcribe, transcribe_options, transcribe);
    PullCommand pull_options;
    command("pull", "fetch a model from Hugging Face into its cache", add_pull, pull_options, pull);
    ListOptions list_options;
    command("list", "what the cache holds", add_list, list_options, list);
    RmOptions rm_options;
    command("rm", "remove a repository from the cache", add_rm, rm_options, rm);
    SynthOptions synth_options;
    command("synth", "write a checkpoint of true shapes and random weights", add_synth, synth_options, synth);
    QuantizeOptions quantize_options;
    command("quantize", "write a model with smaller types, or a directory as one GGUF file", add_quantize, quantize_options, quantize);
    SliceCommand slice_options;
    command("slice", "write a slice of a model as a model of its own", add_slice, slice_options, slice);
    ImatrixOptions imatrix_options;
    command("imatrix", "measure which columns matter over a text, for quantize --imatrix", add_imatrix, imatrix_options, imatrix);
    PerplexityOptions perplexity_options;
    command("perplexity", "how well a model foretells a text", add_perplexity, perplexity_options, perplexity);
    EvalOptions eval_options;
    command("eval", "how many questions of a file models answer rightly", add_eval, eval_options, eval);
    BenchOptions bench_options;
    command("bench", "how fast a model runs here", add_bench, bench_options, bench);

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
        for (const auto& [c, work] : commands)
            if (*c) return work();
    } catch (const std::bad_alloc&) {
        return report({gemma3n::Code::over_budget, "out of memory"});
    }
    fputs(app.help().c_str(), stderr);
    return exit_usage;
}
