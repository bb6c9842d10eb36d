// The sizes that can be synthesised: the published networks' numbers, and a tiny one with every feature of Gemma 3n. All else (tensor
// list, metadata, config.json, vocabulary) follows from these.
#pragma once

#include "synth/tower_shape.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gemma3n::synth {

// How many pieces of each kind a vocabulary has; see vocabulary.h for their order.
struct VocabularyShape {
    int n_unused;   // <unusedN> below the turn marks
    int n_runs;     // runs of 1..n newlines, 2..n spaces, 1..n tabs
    bool tags;      // HTML tags
    int n_merged;   // words and fillers
    int n_letters;  // single characters
    int n_tail;     // <unusedN> at the end
};

// A slice that the model lists: all layers but some, all narrow but some.
struct SliceShape {
    std::string_view name;
    int64_t first_skipped, end_skipped;
    int64_t narrow;
    int64_t first_wide, end_wide;

    bool keeps(int64_t layer) const { return layer < first_skipped || layer >= end_skipped; }
    bool wide(int64_t layer) const { return layer >= first_wide && layer < end_wide; }
};

struct Shape {
    std::string_view size;   // as on the command line
    std::string_view title;
    bool is_3n;
    int64_t hidden, n_layers, ff, n_heads, n_kv_heads, head_dim;
    int64_t vocab;           // rows of embed_tokens in a Hugging Face file
    int64_t text_vocab;      // pieces of text; rows of both tables in a GGUF file, of the per-layer table in a Hugging Face one
    int64_t window, context_length;
    int64_t period;          // every period-th layer is global
    int64_t rope_scale;      // linear, of global layers; 1 = none
    // gemma3n only
    int64_t n_streams, per_layer_width, laurel_rank;
    int64_t n_shared;        // last layers, which read the keys and values of others
    int64_t n_sparse;        // first layers, whose gate keeps the largest 5 %
    VocabularyShape pieces;
    const VisionShape* vision;  // null: none
    const AudioShape* audio;
    std::span<const SliceShape> slices = {};

    bool sliding(int64_t layer) const { return (layer + 1) % period != 0; }
    bool sparse(int64_t layer) const { return layer < n_sparse; }
};

const Shape* find_shape(std::string_view size);  // "e2b", "e4b", "gemma3-4b", "tiny", "elastic"; null for others

// The list that its file carries; empty when it has no slices.
std::string slices_json(const Shape& shape);

}  // namespace gemma3n::synth
