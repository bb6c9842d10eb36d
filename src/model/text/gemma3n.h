// Gemma 3n's text decoder.
#pragma once

#include "model/text/decoder.h"

namespace gemma3n::model {

class Gemma3nDecoder final : public Decoder {
public:
    Gemma3nDecoder(const Config& config, const Weights& weights) : config_(config), weights_(weights), whole_(whole(config)) {}
    Result<View> forward(Context& c, steps::Steps& s, const Batch& batch, const ForwardOptions& options) const override;

private:
    const Config& config_;
    const Weights& weights_;
    const Slice whole_;
};

}  // namespace gemma3n::model
