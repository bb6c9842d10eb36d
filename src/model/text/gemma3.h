// Gemma 3's text decoder, the plain ancestor: one stream, no cache sharing.
#pragma once

#include "model/text/decoder.h"

namespace gemma3n::model {

class Gemma3Decoder final : public Decoder {
public:
    Gemma3Decoder(const Config& config, const Weights& weights) : config_(config), weights_(weights), whole_(whole(config)) {}
    Result<View> forward(Context& c, steps::Steps& s, const Batch& batch, const ForwardOptions& options) const override;

private:
    const Config& config_;
    const Weights& weights_;
    const Slice whole_;
};

}  // namespace gemma3n::model
