// What one generation gives back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n {

enum class Finish {
    eos,           // the model ended its answer
    max_tokens,    // the caller's limit
    context_full,  // the session has no room left
    cancelled,     // a callback said stop
};

struct Timing {
    int64_t prompt_tokens = 0;      // processed for this answer
    int64_t generated_tokens = 0;
    double prefill_s = 0;           // until the first token could be sampled
    double decode_s = 0;
    uint64_t peak_resident_bytes = 0;  // of the whole process up to the end of this answer, mapped file pages included; 0 = unknown
};

// Tokens in a row that went through one slice.
struct SizeRun {
    std::string size;               // the slice's name
    int64_t prompt_tokens = 0;      // processed
    int64_t generated_tokens = 0;   // whose logits it made
    double prefill_s = 0, decode_s = 0;
};

struct Answer {
    std::string text;
    std::vector<int> ids;           // generated, without the id that ended the answer
    Finish finish = Finish::eos;
    Timing timing;
    std::vector<SizeRun> sizes;     // which slice made which tokens: runs in the order of the tokens
};

}  // namespace gemma3n
