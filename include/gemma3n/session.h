// A session: one sequence of tokens with its cache of keys and values, over a shared engine.
#pragma once

#include "gemma3n/options.h"
#include "gemma3n/prompt.h"
#include "gemma3n/result.h"
#include "gemma3n/slice.h"
#include "gemma3n/status.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gemma3n {

class Engine;

// A turn of a conversation.
struct ChatMessage {
    std::string role;         // "system" (first only), "user", "model"
    std::string content;
    std::vector<Part> parts;  // if not empty, in place of `content`: text, pictures and sound in order (users' turns)
};

class Session {
public:
    ~Session();
    Session(const Session&) = delete;

    int64_t n_tokens() const;         // tokens whose keys and values are in the cache: all but, perhaps, the last one generated
    int64_t context_tokens() const;   // room in all

    // ---- text in, text out -----------------------------------------------------------------------------------------
    // Continues a conversation with a user turn (and, at the very start, a system text), then generates the model's turn.
    Result<Answer> chat(const std::string& user, const GenerateOptions& options, const std::string& system = "");
    // The same with pictures and sound among the text, in the order given.
    Result<Answer> chat(const std::vector<Part>& user, const GenerateOptions& options, const std::string& system = "");
    // Continues plain text, no turn format. <bos> is put in front of an empty session.
    Result<Answer> complete(const std::string& text, const GenerateOptions& options);
    Result<Answer> complete(const std::vector<Part>& parts, const GenerateOptions& options);
    // Continues from ids, taken exactly as given.
    Result<Answer> generate(std::span<const int> ids, const GenerateOptions& options);
    Result<Answer> generate(const Prompt& prompt, const GenerateOptions& options);

    // ---- tokens in, logits out -------------------------------------------------------------------------------------
    // Appends ids in chunks (none: only a generated token that is still to be processed); logits of the last one (vocab values, soft-capped) are returned, valid until the next call.
    Result<std::span<const float>> append(std::span<const int> ids, const std::function<bool(int64_t, int64_t)>& progress = {});
    Result<std::span<const float>> append(const Prompt& prompt, const std::function<bool(int64_t, int64_t)>& progress = {});

    // ---- size ------------------------------------------------------------------------------------------------------
    const Slice& size() const;
    // The slice that the next token runs through; may be called between any two tokens, from GenerateOptions::on_text too. Nothing is
    // loaded: it takes some microseconds. Keys and values stay valid between slices that keep the same KV-owning layers (of the published
    // ones all do); between others the change is refused unless the session is empty or `reprocess` is set. On failure nothing changes.
    Status set_size(const Slice& slice, const SizeOptions& options = {});
    Status set_size(const std::string& name, const SizeOptions& options = {});  // as Engine::find_size takes it

    // A second session with the same past; pages are shared and copied only when written.
    Result<std::unique_ptr<Session>> fork();
    // Drops the tail so that n_tokens() == n. Refused (nothing changes) when a sliding layer has already given back a page that
    // the next token would see.
    Status rollback(int64_t n);
    void clear();

    struct Impl;
    Impl& impl() { return *impl_; }

private:
    Session();
    friend class Engine;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gemma3n
