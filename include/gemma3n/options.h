// Options of the engine, of a session and of one answer. Defaults are what a person would want; each says what more costs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gemma3n {

enum class Activations {
    q8,   // activations rounded to 8 bit per block of 32 for quantised matrices
    f32,  // the exact path: f32 activations. Slower; for comparison with a reference
};

// How keys and values of the tokens are kept.
enum class KvType {
    automatic,  // f16, or f32 on the exact path
    f32,
    f16,
    q8,         // 8 bit with a scale for 32 values: 53 % of f16's memory (docs/memory.md says what it changes)
};

struct EngineOptions {
    int threads = 0;                // 0 = one per physical core
    std::string kernels;            // force a kernel table by name ("reference", "avx2", ...); empty = the best this CPU runs
    Activations activations = Activations::q8;
    KvType kv = KvType::automatic;
    uint64_t memory_limit = 0;      // bytes that the process may come to hold, mapped pages included (VmHWM); 0 = no limit. Under one the engine
                                    // plans first, refuses with Code::over_budget what would not fit, and takes smaller steps, shorter contexts
                                    // and one tower at a time to stay below it (docs/memory.md)
    std::string mmproj;             // the file with the vision and audio towers of a GGUF model; empty = mmproj-*.gguf beside it, if there is one
    std::string size;               // of sessions that are not told otherwise, as Engine::find_size takes it, or "fit": the best that fits memory_limit; empty = the whole model
    // Called while a long load goes on, fraction in 0..1; return false to cancel. May be empty.
    std::function<bool(double fraction)> progress;
};

struct ImageOptions {
    int64_t side = 0;               // pixels of the square that is looked at; 0 = the model's own (768 as published). Cost grows with its square
};

struct SoundOptions {
    bool fixed = true;              // true: filled up to the model's number of tokens per clip, as the reference does; false: the sound's own only
};

struct SessionOptions {
    int64_t context_tokens = 0;     // room for tokens; 0 = the model's context length, or under a limit what fits. Memory grows only as tokens arrive
    int64_t chunk_tokens = 512;     // prefill rows per step; more costs scratch memory, fewer costs speed
    std::string size;               // as Engine::find_size takes it; empty = the engine's
};

// Of a change of size in the middle of a session.
struct SizeOptions {
    bool release = false;           // give back the pages of the file that the new size does not need; other sessions read theirs again
    bool reprocess = false;         // where the new size cannot read the old one's keys and values: process all tokens again
    std::function<bool(int64_t done, int64_t total)> progress;  // of that; return false to cancel. May be empty
};

// Order of the sampler, as in transformers: temperature, top_k, top_p, min_p.
struct SamplingOptions {
    float temperature = 1.0f;       // 0 = greedy
    int top_k = 64;                 // 0 = all
    float top_p = 0.95f;            // 1 = all
    float min_p = 0.0f;             // 0 = off
    uint64_t seed = 0;              // same seed, same options, same machine: same answer
};

struct GenerateOptions {
    SamplingOptions sampling;
    int64_t max_tokens = -1;        // -1 = until the model ends its answer or the context is full
    bool stop_at_eos = true;
    std::string prefill_size;       // the size that reads the prompt but its last token, as Engine::find_size takes it; empty = the session's
    // Called while a prompt is processed; return false to cancel. May be empty.
    std::function<bool(int64_t done, int64_t total)> prefill_progress;
    // Called for every generated token with the text that became certain by it: complete UTF-8, empty while a character is
    // unfinished; once more at the end if a character stays unfinished. Return false to stop. May be empty.
    std::function<bool(const std::string& text, int id)> on_text;
};

}  // namespace gemma3n
