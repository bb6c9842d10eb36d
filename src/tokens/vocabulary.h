// The pieces of a vocabulary by id, and the tables that find them: an open-addressing hash of all pieces, and a trie of the
// tokens that are matched in the text before anything else. Pieces are views: into the mapped GGUF, or into `storage`.
#pragma once

#include "base/file.h"
#include "base/result.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gemma3n::tokens {

// Piece -> id, built once over pieces that outlive it. The first of equal pieces wins. Slots are 8 bytes, half a million of them: the
// 514,906 merges of a tokenizer.json look up three pieces each, and what they cost is memory that is not in the cache.
class PieceIndex {
public:
    void reserve(const std::vector<std::string_view>& pieces);
    void add(int id);                        // pieces[id]
    int find(std::string_view piece) const { return find(piece, hash_of(piece)); }  // -1 if absent

    // In two steps, for many pieces at once: the hash, then prefetch(hash) some time before find.
    static uint64_t hash_of(std::string_view s);
    int find(std::string_view piece, uint64_t hash) const;
    void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }

private:
    struct Slot {
        uint32_t tag = 0;  // the hash's upper half
        int id = -1;
    };
    static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
    const std::string_view* pieces_ = nullptr;
    std::vector<Slot> slots_{1};
    uint64_t mask_ = 0;
};

// Longest match among a set of strings.
class Trie {
public:
    void add(std::string_view s, int id);
    // Longest entry that begins at text[at]: its id and length; id -1 if none.
    std::pair<int, size_t> match(std::string_view text, size_t at) const;

private:
    struct Node {
        int id = -1;
        std::vector<std::pair<uint8_t, int>> next;
    };
    std::vector<Node> nodes_{1};
    bool first_[256] = {};
};

// Which characters stand side by side in some piece. A filter of 128 KiB: it may say yes for a pair that does not, never no for one
// that does.
class Joints {
public:
    explicit Joints(const std::vector<std::string_view>& pieces);
    bool may_join(std::string_view left, std::string_view right) const {
        const uint64_t b = bit(left, right);
        return bits_[b / 64] >> (b % 64) & 1;
    }

private:
    static constexpr int log2_bits = 20;  // Gemma's pieces hold about 140,000 pairs
    static uint64_t bit(std::string_view left, std::string_view right);
    std::vector<uint64_t> bits_;
};

struct Vocabulary {
    std::vector<std::string_view> pieces;  // as spelled
    std::deque<std::string> storage;
    std::vector<std::shared_ptr<File>> files;  // keeps the mapping of a GGUF
    std::vector<bool> special;             // special = true in tokenizer.json's sense
    std::vector<int16_t> byte_of;          // -1, or the byte of a byte piece
    int id_of_byte[256];                   // -1 if absent
    int bos = -1, unknown = -1;
    PieceIndex index;
    Trie added;                            // matched on raw text; ids may be special
};

// "<0x1F>" -> 31, else -1.
int parse_byte_piece(std::string_view piece);

}  // namespace gemma3n::tokens
