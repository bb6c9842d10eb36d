// The decoder: one forward pass over a batch of rows of one or more sequences. Prefill, decode, chunks, verification and trace
// are all this call. Families (gemma3n.cpp, gemma3.cpp) compose the same steps, cache and rows into their own layer.
#pragma once

#include "base/result.h"
#include "model/cache/cache.h"
#include "model/config.h"
#include "model/slice.h"
#include "model/weights.h"
#include "ops/context.h"
#include "steps/steps.h"

#include <memory>
#include <string>
#include <vector>

namespace gemma3n::model {

// A row is one token of one sequence. Rows of a sequence stand together, in ascending consecutive positions that continue it.
struct Row {
    int sequence = 0;                  // index into Batch::caches
    int64_t position = 0;
    int id = 0;
    const float* embedding = nullptr;  // [hidden] ready input vector in place of the id's row; its per-layer row is 0
    bool wants_logits = false;
};

struct Batch {
    std::vector<Row> rows;
    std::vector<Cache*> caches;        // prepared for the rows' positions; made for a slice of the same KV-owning layers
    const Slice* slice = nullptr;      // that all rows run through; null: the whole model
};

// Sees named tensors of the pass as it runs; for trace and tests.
class Tap {
public:
    virtual ~Tap() = default;
    virtual bool wants(const std::string& name) = 0;
    virtual void tensor(const std::string& name, std::vector<int64_t> shape, const View& values) = 0;
};

struct ForwardOptions {
    bool shortcut = true;     // rows whose logits nobody wants stop at the last KV-owning layer
    bool cap_logits = true;   // false: raw logits, for a sampler that caps only the survivors
    Tap* tap = nullptr;
    InputObserver* inputs = nullptr;
};

class Decoder {
public:
    virtual ~Decoder() = default;
    // Logits of the rows that want them, in row order: [n_wanted, vocab], in the context's scratch. The caches' pages are
    // written; committing them is the caller's.
    virtual Result<View> forward(Context& c, steps::Steps& s, const Batch& batch, const ForwardOptions& options) const = 0;
};

// config and weights must outlive the decoder.
std::unique_ptr<Decoder> make_decoder(const Config& config, const Weights& weights);

}  // namespace gemma3n::model
