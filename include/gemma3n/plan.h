// What a model keeps in memory, by class, before any of it is loaded: only headers, vectors and shapes are read. Memory means VmHWM: the
// peak of all resident pages of the process, those of mapped files included (docs/memory.md). Bytes are bytes; 1 GB is 1e9.
#pragma once

#include "gemma3n/options.h"
#include "gemma3n/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n {

// What will be asked of a model.
struct MemoryNeeds {
    std::string size;            // as Engine::find_size takes it, or "fit": the best listed size that fits the limit; empty = the options'
    double tokens_per_s = 0;     // of size "fit": answers no slower than this, by the bytes that a token reads and how fast this machine reads; 0 = any
    int64_t context_tokens = 0;  // room of a session; 0 = the model's own, or under a limit as much of it as fits
    int64_t chunk_tokens = 512;  // most prompt tokens of a step; under a limit fewer are taken at a time if that makes it fit
    static constexpr int64_t own_side = -1, frame_side = -2;
    int64_t image_side = 0;      // pixels of pictures; 0 = none, own_side = the model's own, frame_side = 256 or the model's own if those are fewer
    bool sound = false;          // an error where the model has no audio tower
    std::string prefill_size;    // that reads prompts (GenerateOptions::prefill_size); empty = `size`
    int64_t pictures = 0;        // whose soft tokens are kept beside a session until its prompt lets go of them
    int64_t clips = 0;           // likewise, one at least of each recording; with `sound` unset they are those of videos, left out where the model has no audio tower
    double sound_seconds = 0;    // of all recordings, where that is known: longer ones are several clips
    uint64_t decoder_bytes = 0;  // of recordings and videos that this library decodes meanwhile (gemma3n/media.h)
    bool attachments = false;    // leave room for one picture, one clip and their decoders besides, of what the model has towers for, where that fits
};

// Who is in memory when: while text is processed, while a picture is encoded, while sound is.
struct MemoryClass {
    std::string name;
    uint64_t bytes = 0;
    bool text = false, vision = false, audio = false;
    std::string note;            // what it is made of; may be empty
};

struct MemoryPlan {
    std::vector<MemoryClass> classes;
    uint64_t text_bytes = 0, vision_bytes = 0, audio_bytes = 0;  // sums of the classes that are in memory then; 0 = never happens
    uint64_t peak_bytes = 0;     // the largest of them
    uint64_t limit = 0;          // that it was made for; 0 = none
    int64_t context_tokens = 0, chunk_tokens = 0;                // as chosen
    int64_t image_side = 0;
    bool attachments = false;    // there is room for them
    std::string no_attachments;  // where they were asked for and there is none: a sentence that says what would leave some
    std::string size;            // the slice's name
    double tokens_per_s = 0;     // planned for answers, if a speed was asked for
    KvType kv = KvType::f16;
};

// Under options.memory_limit: what the engine will choose and keep to, or an error (Code::over_budget) that names what would fit: a smaller
// size, another type of keys and values, a shorter context, a smaller picture; or, where nothing does, the least limit that would.
Result<MemoryPlan> plan_memory(const std::string& path, const EngineOptions& options, const MemoryNeeds& needs = {});

}  // namespace gemma3n
