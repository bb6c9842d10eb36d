// The engine: one model, loaded once, shared by many sessions. Source of every number: the checkpoint's own config.
//
// Threads: an Engine may be used from several threads; steps are serialised inside. A Session belongs to one thread at a time.
// Ownership: sessions keep their engine alive. Nothing here prints, exits or aborts because of input.
#pragma once

#include "gemma3n/media.h"
#include "gemma3n/options.h"
#include "gemma3n/plan.h"
#include "gemma3n/session.h"
#include "gemma3n/slice.h"
#include "gemma3n/sound_stream.h"
#include "gemma3n/status.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gemma3n {

// Bytes of a class of tensors: in the file, and resident once all of it has been touched.
struct ByteClass {
    std::string name;  // "core", "head", "per-layer table", "vision tower", "audio tower", "unused"
    uint64_t file_bytes = 0;
    uint64_t resident_bytes = 0;  // what using it keeps in memory; 0 for tables that are read by row
    bool on_demand = false;       // towers: in memory from the first picture or sound until Engine::release_towers
};

struct ModelInfo {
    std::string path, name, family, container;      // container: "gguf" or "safetensors"
    int64_t hidden = 0, n_layers = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0, vocab = 0, window = 0, context_length = 0;
    int64_t n_kv_layers = 0;                        // layers that own keys and values
    std::vector<int64_t> ff;                        // FFN width per layer
    std::vector<bool> sliding;                      // per layer: local (windowed) attention
    int64_t n_streams = 0, per_layer_width = 0, per_layer_vocab = 0, laurel_rank = 0;  // gemma3n; 0 otherwise
    uint64_t n_parameters = 0;                      // of the tensors that the text network uses
    std::map<std::string, int> tensor_types;        // type -> number of tensors
    std::vector<ByteClass> bytes;
    uint64_t kv_bytes_per_token_global = 0;         // growth per token, default KV type
    uint64_t kv_bytes_windowed = 0;                 // the most that all sliding layers hold: what they see, a step's tokens, room for a rollback, in whole pages
    std::vector<int> eos;
    int bos = 2;
    bool has_tokenizer = false;
    int64_t n_ids = 0;                              // ids of a prompt lie below it: the vocabulary, and the marks of pictures and sound
    bool vision = false, audio = false;             // has that tower
    std::string projector;                          // the file of the towers, if it is not the model itself
    std::string towers_note;                        // non-empty when there are towers that cannot be used: why
    int64_t image_side = 0, image_tokens = 0;       // of a picture: its pixels unless told otherwise, its soft tokens
    int64_t clip_tokens = 0;                        // of a clip, filled up
    double clip_seconds = 0;                        // the longest clip
    double clip_token_seconds = 0;                  // of sound that becomes one token
    int image_placeholder = -1, sound_placeholder = -1;  // ids that a Prompt has once for each soft token
    std::string kernels;                            // the table that runs
    std::string cpu;                                // what it runs on, as the system names it; "unknown" if it does not
    std::string per_layer_reading;                  // how rows of the per-layer table are read
    std::string chat_template_note;                 // non-empty when the file carries a template other than Gemma's
};

// One tensor of a traced step, f32 or i32, row-major.
struct TraceTensor {
    std::string name;
    std::vector<int64_t> shape;
    std::vector<float> values;   // empty when ids is used
    std::vector<int32_t> ids;
};
using TraceSink = std::function<void(const TraceTensor&)>;

// What an encoder makes on its way: every tensor whose name `wanted` accepts (empty: all) goes to `sink`. Tensors that grow with a clip
// come in pieces, one after the other along their first axis.
struct EncoderTrace {
    std::function<bool(const std::string&)> wanted;
    TraceSink sink;
};

// One row of a step: a token of one session. `embedding` (hidden values), when set, is used in place of the id's row, and the
// per-layer row is 0. An id of a mark of pictures or sound has the vector of the model's own table of marks, if it has that tower.
// Rows of one session stand together, in order, and continue its sequence; a session whose last generated token is not processed yet is
// refused (Session::append of no ids processes it).
struct StepRow {
    Session* session = nullptr;
    int id = 0;
    const float* embedding = nullptr;
    bool wants_logits = false;
};

// Logits of the rows that asked, in row order: [n, vocab], soft-capped. Valid until the next step of the engine, whoever takes it, and under
// a memory limit also until the next picture or sound is encoded: with several threads use Session::append, which keeps a copy.
struct StepLogits {
    const float* values = nullptr;
    int64_t n = 0, vocab = 0;
    std::span<const float> row(int64_t i) const { return {values + i * vocab, static_cast<size_t>(vocab)}; }
};

// Time spent in one named step of the layer (steps/steps.h), all layers together.
struct StepTime {
    std::string name;
    double seconds = 0;
    int64_t calls = 0;
};

struct TokenizeOptions {
    bool add_bos = true;
    bool parse_special = false;  // true: typed special tokens become their ids
};

class Engine : public std::enable_shared_from_this<Engine> {
public:
    // Opens a GGUF file or a Hugging Face directory. Weights are mapped, not read: a warm load takes a fraction of a second.
    static Result<std::shared_ptr<Engine>> load(const std::string& path, const EngineOptions& options = {});
    ~Engine();

    const ModelInfo& info() const;

    // Error when the model came without a tokenizer.
    Result<std::vector<int>> tokenize(std::string_view text, TokenizeOptions options = {}) const;
    // A conversation in the model's turn format, ending where the model's turn begins (if asked for); <bos> first.
    Result<Prompt> chat_prompt(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const;
    // The same of text alone, as ids.
    Result<std::vector<int>> encode_chat(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const;
    // Text, pictures and sound without the turn format.
    Result<Prompt> text_prompt(const std::vector<Part>& parts, bool add_bos = true) const;
    Result<std::string> detokenize(const std::vector<int>& ids, bool skip_special = true) const;

    // A picture as soft tokens. Resized, then the vision tower and its embedder: the cost grows with the square of the side, the number of
    // tokens does not change. `trace` may be null; it sees "pixel_values", "vision.*" and "soft_tokens".
    Result<std::shared_ptr<const SoftTokens>> encode_image(const Image& image, const ImageOptions& options = {}, const EncoderTrace* trace = nullptr);
    // A clip of up to info().clip_seconds: longer sound is an error, and the caller's to cut. `trace` may be null;
    // it sees "audio.*", audio.input_features among them, and "soft_tokens".
    Result<std::shared_ptr<const SoftTokens>> encode_sound(std::span<const float> samples, const SoundOptions& options = {}, const EncoderTrace* trace = nullptr);
    // The same for sound that is still arriving.
    Result<std::unique_ptr<SoundStream>> new_sound_stream();

    Result<std::unique_ptr<Session>> new_session(const SessionOptions& options = {});

    // The slices that this model offers: "full" first, then those that its file lists, then the published ones where it is a Gemma 3n E4B.
    std::vector<SizeInfo> sizes() const;
    // A slice by what a person calls it: a name of sizes(), a bare size such as "2.98b" (the published one of the best accuracy at or below
    // it), or a file of slices (.json, .csv; docs/elastic.md). Checked against the model.
    Result<Slice> find_size(const std::string& name) const;
    // What a slice weighs; an error if it does not fit this model.
    Result<SizeInfo> size_info(const Slice& slice) const;

    // One forward pass over a batch of rows of one or more sessions. Prefill, decode, chunks and verification are all this call.
    // Sessions of different sizes may share a step: rows of one size run together, one size after the other.
    // On failure no session's sequence has advanced, except that a broken file makes the engine refuse every later step.
    Result<StepLogits> step(std::span<const StepRow> rows);

    // Rows of a step that fit the memory limit, up to `rows` and at least 1, for a session of that many tokens; `rows` without a limit.
    // `logits`: all of them want theirs.
    int64_t rows_that_fit(int64_t rows, bool logits, int64_t context_tokens) const;

    // Runs step() with the tap open: every named tensor whose name `wanted` accepts (empty: all) goes to `sink`. Both are called while the
    // engine is held: they may not step it.
    Result<StepLogits> trace(std::span<const StepRow> rows, const std::function<bool(const std::string&)>& wanted, const TraceSink& sink);

    // Gives memory back between answers: the pages of the mapped weights and the scratch of the largest step. Nothing is lost: pages are
    // read again from the file (or the system's cache of it) when the next step touches them. Logits of the last step become invalid.
    void release();
    // The towers' part of that: worth it once all pictures and sound of a question are encoded.
    void release_towers();

    // Runs `work`, whatever calls of the engine and its sessions it makes, with a clock around each named step, and returns the times in a
    // fixed order. Results are unchanged; passes outside of `work` pay nothing. Not to be called from within `work`.
    std::vector<StepTime> time_steps(const std::function<void()>& work);

    struct Impl;
    Impl& impl() { return *impl_; }

private:
    Engine();
    static Result<std::shared_ptr<Engine>> load_unguarded(const std::string& path, const EngineOptions& options);  // may throw
    std::unique_ptr<Impl> impl_;
    friend class Session;
    friend class SoundStream;
};

}  // namespace gemma3n
