#include "synth/vocabulary.h"

#include "base/result.h"

#include <algorithm>
#include <unordered_set>

namespace gemma3n::synth {

namespace {

constexpr const char* mark = "\xE2\x96\x81";  // U+2581

// Words whose beginnings become pieces too; "_" stands for the mark. "user" and "model" are the roles of the turn format.
constexpr const char* words[] = {"_t",    "in",    "_a",    "_the",  "user",  "model", "_of",   "_and", "_to",   "Hello",  "_is",   "_world", "_that", "_it",
                                 "_for",  "_on",   "_with", "_as",   "_was",  "_you",  "_are",  "The",  "_be",   "_have", "_not",  "_from",  "_what", "_one",
                                 "_this", "_can",  "_how",  "_your", "_will", "_time", "_water", "_made", "_light", "_people", "_number", "_there", "return", "_while",
                                 "_large", "_small", "_house", "_story", "_question", "_answer"};
constexpr const char* tag_groups[] = {"table caption thead tbody tfoot tr th td", "h1 h2 h3 h4 h5 h6 blockquote", "strong em b i u s sub sup code",
                                      "a html body img span bbox ul li div iframe footer"};

std::string repeated(std::string_view s, int n) {
    std::string out;
    for (int i = 0; i < n; i++) out += s;
    return out;
}

std::string utf8(uint32_t c) {
    std::string s;
    if (c < 0x80) return std::string(1, static_cast<char>(c));
    if (c < 0x800) s += static_cast<char>(0xC0 | c >> 6);
    else s += static_cast<char>(0xE0 | c >> 12), s += static_cast<char>(0x80 | (c >> 6 & 63));
    s += static_cast<char>(0x80 | (c & 63));
    return s;
}

class Builder {
public:
    explicit Builder(const Shape& s) : s_(s) {}

    Vocabulary all() {
        const VocabularyShape& n = s_.pieces;
        for (const char* p : {"<pad>", "<eos>", "<bos>"}) add(p, PieceKind::control, true);
        add("<unk>", PieceKind::unknown, true);
        add("<mask>", PieceKind::control);
        add("[multimodal]", PieceKind::user_defined);
        unused(n.n_unused);
        add("<start_of_turn>", PieceKind::control, true);
        v_.end_of_turn = add("<end_of_turn>", PieceKind::control, true);
        for (int i = 1; i <= n.n_runs; i++) add(repeated("\n", i), PieceKind::user_defined);
        for (int i = 2; i <= n.n_runs; i++) add(repeated(mark, i), PieceKind::user_defined);
        if (n.tags) tags();
        for (int b = 0; b < 256; b++) add(text("<0x%02X>", b), PieceKind::byte);
        v_.first_merged = size();
        merged(size() + n.n_merged);
        letters(n.n_letters);
        for (int i = 1; i <= n.n_runs; i++) add(repeated("\t", i), PieceKind::user_defined);
        add("<start_of_image>", PieceKind::control, true);
        add(s_.is_3n ? "<start_of_audio>" : "<end_of_image>", PieceKind::control, true);
        unused(n.n_tail);
        return std::move(v_);
    }

private:
    int size() const { return static_cast<int>(v_.pieces.size()); }
    int add(std::string piece, PieceKind kind, bool special = false) {
        v_.pieces.push_back({std::move(piece), kind, special});
        return size() - 1;
    }
    void unused(int n) {
        for (int i = 0; i < n; i++) add("<unused" + std::to_string(n_unused_++) + ">", PieceKind::control);
    }
    void tags() {
        for (const std::string_view group : tag_groups) {
            for (const char* open : {"<", "</"}) {
                for (size_t i = 0; i < group.size();) {
                    const size_t end = std::min(group.find(' ', i), group.size());
                    add(open + std::string(group.substr(i, end - i)) + ">", PieceKind::user_defined);
                    i = end + 1;
                }
            }
        }
    }

    // Every piece is one character more than an earlier one, so that merging reaches it.
    void merged(int end) {
        const auto add_new = [&](const std::string& piece) {
            if (piece.size() > 1 && size() < end && seen_.insert(piece).second) add(piece, PieceKind::normal);
        };
        for (const std::string_view word : words) {
            const bool marked = word[0] == '_';
            for (size_t n = 2; n <= word.size(); n++) add_new((marked ? mark : "") + std::string(word.substr(marked, n - marked)));
        }
        std::vector<std::string> level{mark, ""};  // words, and what continues them
        for (bool consonant = true; size() < end; consonant = !consonant) {
            std::vector<std::string> next;
            for (const std::string& stem : level) {
                for (const char c : std::string_view(consonant ? "bcdfghjklmnprstvwz" : "aeiou")) {
                    if (size() >= end) return;
                    add_new(next.emplace_back(stem + c));
                }
            }
            level = std::move(next);
        }
    }

    void letters(int n) {
        const int end = size() + n;
        add(mark, PieceKind::normal);
        for (uint32_t c = '!'; c <= '~' && size() < end; c++) add(utf8(c), PieceKind::normal);
        for (uint32_t c = 0xA1; c < 0x530 && size() < end; c++) add(utf8(c), PieceKind::normal);  // Latin, Greek, Cyrillic
        for (uint32_t c = 0x4E00; size() < end; c++) add(utf8(c), PieceKind::normal);             // Han
    }

    const Shape& s_;
    Vocabulary v_;
    std::unordered_set<std::string> seen_;
    int n_unused_ = 0;
};

}  // namespace

Vocabulary make_vocabulary(const Shape& shape) { return Builder(shape).all(); }

MediaIds media_ids(const Shape& s) {
    const int64_t audio = s.text_vocab + (s.vocab - s.text_vocab) / 2;
    const int64_t begin = s.text_vocab - s.pieces.n_tail - 2;
    return {begin, s.text_vocab, s.text_vocab + 1, begin + 1, audio, audio + 1};
}

}  // namespace gemma3n::synth
