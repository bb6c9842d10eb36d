#include "model/text/decoder.h"

#include "model/text/gemma3.h"
#include "model/text/gemma3n.h"

namespace gemma3n::model {

std::unique_ptr<Decoder> make_decoder(const Config& config, const Weights& weights) {
    if (config.family == Family::gemma3) return std::make_unique<Gemma3Decoder>(config, weights);
    return std::make_unique<Gemma3nDecoder>(config, weights);
}

}  // namespace gemma3n::model
