// GGUF metadata for a Hugging Face directory, by the rules of llama.cpp's converter: the network's numbers from config.json, the
// vocabulary from tokenizer.json, the chat template from wherever the directory has it.
#pragma once

#include "format/checkpoint.h"
#include "format/gguf_writer.h"
#include "format/projector_keys.h"
#include "model/media/config.h"

namespace gemma3n::quant {

Status set_network(format::GgufWriter& w, const model::Config& c);
// The part of it that tells of layers, one by one: their number, widths, windows, sparsity, shared keys and values.
Status set_layers(format::GgufWriter& w, const model::Config& c);

// `rows` of the embedding table: as many tokens are written. Ids without a piece become unused tokens.
Status set_tokenizer(format::GgufWriter& w, const format::Checkpoint& checkpoint, const model::Config& c, int64_t rows);

// Of the file with the towers.
format::ProjectorKeys projector_keys(const format::Checkpoint& checkpoint, const model::Config& c, const model::MediaConfig& media, format::Mix mix);

}  // namespace gemma3n::quant
