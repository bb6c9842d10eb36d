// A vocabulary with Gemma's layout of ids: specials, turn marks, runs of newlines and spaces, HTML tags, bytes, merged pieces, single
// characters, tabs, media marks, unused. Marks, bytes and runs are the real ones; merged pieces are a few words and made-up syllables.
#pragma once

#include "synth/shape.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gemma3n::synth {

enum class PieceKind : int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };  // as GGUF numbers them

struct Piece {
    std::string text;  // a space is spelled U+2581
    PieceKind kind = PieceKind::normal;
    bool special = false;  // dropped from what a person reads
};

struct Vocabulary {
    std::vector<Piece> pieces;  // by id
    int first_merged = 0;       // the best of the merged pieces; the others follow in order of their worth, then the letters
    int end_of_turn = 0;
};

inline constexpr int pad_id = 0, eos_id = 1, bos_id = 2, unknown_id = 3;

Vocabulary make_vocabulary(const Shape& shape);

// Marks of images and sound. Those that begin one are pieces of text; the others lie beyond, in two blocks of ids that a Hugging Face tokenizer knows.
struct MediaIds {
    int64_t begin_image, end_image, image, begin_audio, end_audio, audio;
};
MediaIds media_ids(const Shape& shape);

std::string tokenizer_json(const Shape& shape, const Vocabulary& vocabulary);

}  // namespace gemma3n::synth
