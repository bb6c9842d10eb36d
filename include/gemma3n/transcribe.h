// Speech to text: recordings of any length clip by clip, and sound that is still arriving.
//
// Each clip is a conversation of its own: "Transcribe the following speech segment in English:" and the clip, answered greedily; for a
// translation a second turn follows, "Translate it into Spanish:", so that the model has its own transcript before it.
#pragma once

#include "gemma3n/attach.h"

#include <functional>
#include <memory>
#include <string>

namespace gemma3n {

struct TranscribeOptions {
    std::string language;      // of the speech, in words ("English"); empty: "its original language"
    std::string translate_to;  // empty: no translation
    std::string instruction;   // in place of the first sentence above; empty: that one
    SoundOptions sound;
    int64_t max_tokens = 512;  // of a clip's text, and of its translation
};

struct Segment {
    double begin_s = 0, end_s = 0;
    std::string text, translation;  // without white space around them
    bool complete = true;           // false: max_tokens or the context ended the text, or the caller stopped it
};

// What is told while sound is taken; either may be empty, false stops with Code::cancelled.
struct SegmentEvents {
    std::function<bool(const std::string& text)> on_text;  // of the translation where one is wanted, else of the transcript, as it comes; "" while there is none
    std::function<bool(const Segment&)> on_segment;        // a segment that is final: what its texts were goes for good
};

// Sound in pieces of any size; each second of it is encoded once, as it comes. Belongs to one thread at a time.
class Transcriber {
public:
    // An error when the model has no audio tower or no tokenizer.
    static Result<std::unique_ptr<Transcriber>> open(std::shared_ptr<Engine> engine, const TranscribeOptions& options);
    ~Transcriber();

    // Takes sound. Clips that it completes are put into text before this returns.
    Status push(std::span<const float> samples, const SegmentEvents& events = {});
    // The rest. The next sound begins a new recording.
    Status finish(const SegmentEvents& events = {});
    // Forgets the recording, also after an error.
    Status clear();
    // What the unfinished clip seems to say, from the tokens that are certain; "" when there are none. Costs an answer of which nothing is
    // kept; on_text is told of it.
    Result<std::string> partial(const SegmentEvents& events = {});
    double seconds() const;  // pushed so far

private:
    Transcriber();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gemma3n
