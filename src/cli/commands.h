// The commands: their options, filled by main.cpp from the command line, and one function each. Exit codes: 0 done, 1 error,
// 2 usage, 3 refused by a budget, 130 interrupted. Standard output holds the answer only; everything else goes to standard error.
#pragma once

#include "gemma3n/engine.h"
#include "gemma3n/media.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gemma3n::cli {

enum Exit { exit_ok = 0, exit_error = 1, exit_usage = 2, exit_budget = 3, exit_interrupted = 130 };

struct ModelOptions {
    std::string model;
    int threads = 0;
    std::string activations = "q8";
    std::string kernels;
    std::string mmproj;    // the file with vision and audio; empty: found beside the model
    uint64_t memory = 0;   // bytes allowed; 0 = no limit
    double target_tps = 0; // of --size fit
    std::string kv;        // type of keys and values; empty = by the activations
    std::string size;      // the slice that is run; empty: the whole
    bool pull = false;     // a name that is not in the cache is fetched
    bool offline = false;  // but not now
};

struct MediaFile {
    using Kind = MediaKind;
    Kind kind = Kind::image;
    std::string path;  // "-": standard input
};

struct MediaFlags {
    std::vector<MediaFile> files;        // in the order of the command line
    int64_t image_side = 0;              // pixels of pictures and frames; 0 = the model's, and 256 of frames
    std::string audio_tokens;            // "fixed", "dynamic"; empty = fixed
    double fps = 0;                      // 0 = 1
    int64_t max_frames = 0;              // 0 = the default of what it is for
    std::optional<bool> draw;            // what is attached, on standard error; nullopt = in a chat that is all in a terminal
};

struct RunOptions {
    ModelOptions model;
    MediaFlags media;
    std::string camera;  // a device, or what stands in for one; empty: none
    std::optional<std::string> prompt, system;
    float temperature = 1.0f;
    int top_k = 64;
    float top_p = 0.95f, min_p = 0.0f;
    std::optional<uint64_t> seed;
    int64_t max_tokens = -1;
    int64_t context = 0;
    std::string prefill_size;
    bool raw = false, release = false;
    std::string stats;  // "full", "short"; empty: none
};
int run(const RunOptions& o);

struct ShowOptions {
    ModelOptions model;
    MemoryNeeds needs;     // of the plan
    bool json = false;
};
int show(const ShowOptions& o);

struct TokenizeOptions {
    ModelOptions model;
    std::optional<std::string> text, file;
    bool no_bos = false, parse_special = false;
};
int tokenize(const TokenizeOptions& o);

struct TraceOptions {
    ModelOptions model;
    MediaFlags media;
    std::optional<std::string> prompt;
    std::optional<std::string> ids, only;
    std::string output;
    bool raw = false;
};
int trace(const TraceOptions& o);

struct TranscribeCommand {
    ModelOptions model;
    std::vector<std::string> files;
    std::string translate_to, language, prompt, format = "txt", audio_tokens = "fixed";
    int64_t max_tokens = 512;  // of a segment
    double every = 3;          // seconds of sound between partial texts
    bool live = false;
};
int transcribe(const TranscribeCommand& o);

struct SynthOptions {
    std::string size, type = "q4_0", output;
    uint64_t seed = 1;
    bool towers = false;
};
int synth(const SynthOptions& o);

struct PullCommand {
    std::string name, token;
    bool mmproj = false, offline = false;
};
int pull(const PullCommand& o);

struct ListOptions {
    bool json = false;
};
int list(const ListOptions& o);

struct RmOptions {
    std::string name;
    bool yes = false;
};
int rm(const RmOptions& o);

struct PerplexityOptions {
    ModelOptions model;
    std::string file, save, against;
    int64_t n_ctx = 512, stride = 0, windows = -1;
    bool json = false;
};
int perplexity(const PerplexityOptions& o);

struct EvalOptions {
    ModelOptions model;                // of all; the paths are `models`
    std::vector<std::string> models;
    std::string suite;                 // empty: the models' own
    std::vector<std::string> sizes;    // empty: the whole, and the file's own list
    std::string decode_size;           // of answers; empty: that of the prompt
    int64_t switch_after = 0;          // tokens of an answer that are still of the prompt's size
    std::vector<std::string> types;    // that the weights are rounded to first; empty: the file as it is
    std::string answers;               // a file for what was said, a JSON object a line; empty: none
    bool json = false;
};
int eval(const EvalOptions& o);

struct BenchOptions {
    ModelOptions model;
    int64_t prompt = 512, decode = 64;
    int repeats = 3;
    uint64_t seed = 1;
    std::vector<std::string> sizes;
    bool json = false, roof = false;
    std::vector<int64_t> vision;  // sides of pictures: of these the towers alone are measured
    bool audio = false;           // and of sound
};
int bench(const BenchOptions& o);

struct QuantizeOptions {
    std::string input, output, type, imatrix, rules, mmproj;
    bool text_only = false;
    int threads = 0;
};
int quantize(const QuantizeOptions& o);

struct SliceCommand {
    std::string input, output, to, dequantise;
    int threads = 0;
};
int slice(const SliceCommand& o);

struct ImatrixOptions {
    ModelOptions model;
    std::string text_file, output;
    int64_t chunk = 512;
};
int imatrix(const ImatrixOptions& o);

// ---- shared by the commands ----

// One sentence on standard error; the exit code that belongs to the error.
int report(const Error& e);
int usage_error(const std::string& sentence);
void say(const std::string& sentence);  // on standard error, where nothing went wrong
std::string shown_name(const std::string& path);       // "standard input" for "-"
Error in_file(Error e, const std::string& path);       // its sentence names the file
// Straight to standard output, unbuffered; false once it could not be written.
bool write_output(std::string_view s);
// The exit code of a command whose answer has been written to standard output: an error if it did not arrive there.
int finish_output();
// Under a limit, refused before anything is loaded if `needs` do not fit it; else `chosen` (may be null) is what was planned for them.
Result<std::shared_ptr<Engine>> load(const ModelOptions& o, const MemoryNeeds& needs = {}, MemoryPlan* chosen = nullptr);
// Under a limit, whether another size than the one to be loaded fits it too, so that no work is begun that would be refused in its middle.
Status check_size(const ModelOptions& o, MemoryNeeds needs, const std::string& size);
EngineOptions engine_options(const ModelOptions& o);
Status check_target(const ModelOptions& o);  // --target-tps without --size fit
std::string size_name(Engine& engine);       // of the slice that runs, where "fit" or none was asked for
void print_plan(const MemoryPlan& p);
std::string plan_json(const MemoryPlan& p);
// The path that MODEL stands for: itself, or where a named model lies in the cache (fetched first, if o.pull).
Result<std::string> model_path(const ModelOptions& o);
std::string gigabytes(uint64_t bytes);  // "3.03 GB", "412.0 kB", "7 bytes"
std::string json_string(const std::string& s);  // quoted and escaped; bytes that are not UTF-8 become U+FFFD

}  // namespace gemma3n::cli
