#include "tokens/vocabulary.h"

#include "base/utf8.h"

#include <algorithm>
#include <cstring>

namespace gemma3n::tokens {

uint64_t PieceIndex::hash_of(std::string_view s) {
    uint64_t h = 0x9E3779B97F4A7C15ull ^ s.size();
    size_t i = 0;
    for (; i + 8 <= s.size(); i += 8) {
        uint64_t w;
        memcpy(&w, s.data() + i, 8);
        h = (h ^ w) * 0xBF58476D1CE4E5B9ull;
        h ^= h >> 29;
    }
    uint64_t w = 0;
    if (i < s.size()) memcpy(&w, s.data() + i, s.size() - i);
    h = (h ^ w) * 0x94D049BB133111EBull;
    return h ^ (h >> 32);
}

void PieceIndex::reserve(const std::vector<std::string_view>& pieces) {
    size_t size = 64;
    while (size < pieces.size() * 2) size *= 2;
    pieces_ = pieces.data();
    slots_.assign(size, {});
    mask_ = size - 1;
}

void PieceIndex::add(int id) {
    const std::string_view piece = pieces_[id];
    const uint64_t h = hash_of(piece);
    for (uint64_t i = h & mask_;; i = (i + 1) & mask_) {
        Slot& s = slots_[i];
        if (s.id < 0) {
            s = {tag_of(h), id};
            return;
        }
        if (s.tag == tag_of(h) && pieces_[s.id] == piece) return;
    }
}

int PieceIndex::find(std::string_view piece, uint64_t hash) const {
    for (uint64_t i = hash & mask_; slots_[i].id >= 0; i = (i + 1) & mask_) {
        if (slots_[i].tag == tag_of(hash) && pieces_[slots_[i].id] == piece) return slots_[i].id;
    }
    return -1;
}

void Trie::add(std::string_view s, int id) {
    if (s.empty()) return;
    first_[static_cast<uint8_t>(s[0])] = true;
    int at = 0;
    for (const char c : s) {
        const uint8_t b = static_cast<uint8_t>(c);
        int next = -1;
        for (const auto& [byte, node] : nodes_[at].next)
            if (byte == b) next = node;
        if (next < 0) {
            next = static_cast<int>(nodes_.size());
            nodes_[at].next.emplace_back(b, next);
            nodes_.emplace_back();
        }
        at = next;
    }
    if (nodes_[at].id < 0) nodes_[at].id = id;
}

std::pair<int, size_t> Trie::match(std::string_view text, size_t at) const {
    std::pair<int, size_t> best{-1, 0};
    if (!first_[static_cast<uint8_t>(text[at])]) return best;
    int node = 0;
    for (size_t i = at; i < text.size(); i++) {
        int next = -1;
        for (const auto& [byte, n] : nodes_[node].next)
            if (byte == static_cast<uint8_t>(text[i])) next = n;
        if (next < 0) break;
        node = next;
        if (nodes_[node].id >= 0) best = {nodes_[node].id, i + 1 - at};
    }
    return best;
}

uint64_t Joints::bit(std::string_view left, std::string_view right) {
    uint32_t a = 0, b = 0;  // a character has four bytes at most
    for (const char c : left) a = a << 8 | static_cast<uint8_t>(c);
    for (const char c : right) b = b << 8 | static_cast<uint8_t>(c);
    const uint64_t pair = static_cast<uint64_t>(a) << 32 | b;
    return pair * 0x9E3779B97F4A7C15ull >> (64 - log2_bits);
}

Joints::Joints(const std::vector<std::string_view>& pieces) : bits_((1ull << log2_bits) / 64) {
    for (const std::string_view p : pieces) {
        std::string_view before;
        for (size_t i = 0; i < p.size();) {
            const std::string_view c = p.substr(i, static_cast<size_t>(std::max(1, utf8_length(p, i))));
            if (!before.empty()) {
                const uint64_t b = bit(before, c);
                bits_[b / 64] |= 1ull << (b % 64);
            }
            before = c;
            i += c.size();
        }
    }
}

int parse_byte_piece(std::string_view p) {
    if (p.size() != 6 || !p.starts_with("<0x") || p[5] != '>') return -1;
    int value = 0;
    for (const char c : p.substr(3, 2)) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

}  // namespace gemma3n::tokens
