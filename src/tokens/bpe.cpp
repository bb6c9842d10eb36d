#include "tokens/bpe.h"

#include "base/utf8.h"

#include <algorithm>

namespace gemma3n::tokens {

namespace {

struct Symbol {
    int id;              // -1 once merged into its left neighbour
    int previous, next;  // neighbours, -1 at the ends
};

struct Candidate {
    double priority;
    int at;           // left symbol
    int left, right;  // the ids it was offered for; others there now mean that one of them was merged meanwhile
    int id;           // what the pair becomes
    bool operator<(const Candidate& o) const { return priority != o.priority ? priority > o.priority : at > o.at; }  // for a max-heap
};

}  // namespace

// What one call of encode works in; reused from stretch to stretch.
struct Bpe::Scratch {
    std::string marked;            // a segment with its spaces as marks
    std::vector<Symbol> symbols;   // of a stretch
    std::vector<Candidate> heap;

    void push(int id) {
        const int at = static_cast<int>(symbols.size());
        symbols.push_back({id, at - 1, at + 1});
    }
};

Bpe::Bpe(std::unique_ptr<Vocabulary> vocabulary, std::unique_ptr<Rules> rules, bool runs_first)
    : v_(std::move(vocabulary)), rules_(std::move(rules)), joints_(v_->pieces) {
    std::string run(space_mark);
    for (size_t n = 2; runs_first && n < 64; n++) {
        run += space_mark;
        if (const int id = v_->index.find(run); id >= 0) runs_.emplace_back(n, id);
    }
    std::reverse(runs_.begin(), runs_.end());
}

std::vector<int> Bpe::encode(std::string_view text, EncodeOptions options) const {
    std::vector<int> out;
    Scratch scratch;
    if (options.add_bos && v_->bos >= 0) out.push_back(v_->bos);
    size_t begin = 0;  // of the text since the last added token
    for (size_t i = 0; i < text.size();) {
        const auto [id, n] = v_->added.match(text, i);
        if (id < 0) {
            i++;
            continue;
        }
        if (v_->special[id] && !options.parse_special) {  // stays text, whole
            i += n;
            continue;
        }
        encode_segment(text.substr(begin, i - begin), scratch, out);
        out.push_back(id);
        i += n;
        begin = i;
    }
    encode_segment(text.substr(begin), scratch, out);
    return out;
}

// Cuts the segment into stretches where no piece holds the two characters side by side: no merge crosses such a place, so each
// stretch (in most scripts a word) is merged alone, in a few cache lines.
void Bpe::encode_segment(std::string_view text, Scratch& s, std::vector<int>& out) const {
    s.marked.clear();
    for (const char c : text) c == ' ' ? s.marked += space_mark : s.marked += c;
    const std::string_view all = s.marked;
    std::string_view before;  // the character before, empty if it is no piece: such a place is not judged
    bool last_unknown = false;
    for (size_t i = 0; i < all.size();) {
        const int n = utf8_length(all, i);
        const std::string_view c = all.substr(i, n > 0 ? static_cast<size_t>(n) : 1);
        const int id = n > 0 ? v_->index.find(c) : -1;
        bool bytes = id < 0;
        for (const char b : c) bytes = bytes && v_->id_of_byte[static_cast<uint8_t>(b)] >= 0;
        if (id >= 0 && !before.empty() && !joints_.may_join(before, c)) merge(s, out);
        before = id >= 0 ? c : std::string_view();
        if (!runs_.empty() && c == space_mark) {
            if (const size_t n_bytes = push_run(all.substr(i), s); n_bytes > 0) {
                i += n_bytes;
                last_unknown = false;
                continue;
            }
        }
        i += c.size();
        if (id >= 0) {
            s.push(id);
        } else if (bytes) {
            for (const char b : c) s.push(v_->id_of_byte[static_cast<uint8_t>(b)]);
        } else if (v_->unknown >= 0 && !last_unknown) {
            s.push(v_->unknown);  // neighbouring unknowns are one
        }
        last_unknown = id < 0 && !bytes;
    }
    merge(s, out);
}

// The run of marks that `text` begins with, the longest pieces first; a single mark that is left over belongs to the word behind it.
size_t Bpe::push_run(std::string_view text, Scratch& s) const {
    size_t n_bytes = 0;
    size_t run = 0;
    while (text.substr(run * space_mark.size()).starts_with(space_mark)) run++;
    for (const auto& [n, id] : runs_) {
        for (; run >= n; run -= n, n_bytes += n * space_mark.size()) s.push(id);
    }
    return n_bytes;
}

// Merges the stretch in scratch, the best rule first, and hands its pieces out. n log n in the length of a stretch.
void Bpe::merge(Scratch& s, std::vector<int>& out) const {
    std::vector<Symbol>& symbols = s.symbols;
    if (symbols.empty()) return;
    symbols.back().next = -1;
    s.heap.clear();
    const auto offer = [&](int at) {
        Merge m;
        if (at < 0 || symbols[at].next < 0) return false;
        const int left = symbols[at].id, right = symbols[symbols[at].next].id;
        if (!rules_->find(left, right, m)) return false;
        s.heap.push_back({m.priority, at, left, right, m.id});
        return true;
    };
    for (size_t i = 0; i + 1 < symbols.size(); i++) offer(static_cast<int>(i));
    std::make_heap(s.heap.begin(), s.heap.end());
    while (!s.heap.empty()) {
        std::pop_heap(s.heap.begin(), s.heap.end());
        const Candidate c = s.heap.back();
        s.heap.pop_back();
        Symbol& left = symbols[c.at];
        if (left.id != c.left || left.next < 0 || symbols[left.next].id != c.right) continue;
        Symbol& right = symbols[left.next];
        left.id = c.id;
        right.id = -1;
        left.next = right.next;
        if (right.next >= 0) symbols[right.next].previous = c.at;
        if (offer(left.previous)) std::push_heap(s.heap.begin(), s.heap.end());
        if (offer(c.at)) std::push_heap(s.heap.begin(), s.heap.end());
    }
    for (int i = 0; i >= 0; i = symbols[i].next) out.push_back(symbols[i].id);
    symbols.clear();
}

std::string_view Bpe::raw_piece(int id) const { return in_range(id) ? v_->pieces[id] : std::string_view(); }

std::string Bpe::piece(int id) const {
    if (!in_range(id)) return {};
    if (v_->byte_of[id] >= 0) return std::string(1, static_cast<char>(v_->byte_of[id]));
    std::string s;
    for (std::string_view p = v_->pieces[id]; !p.empty();) {
        if (p.starts_with(space_mark)) {
            s += ' ';
            p.remove_prefix(space_mark.size());
        } else {
            s += p[0];
            p.remove_prefix(1);
        }
    }
    return s;
}

}  // namespace gemma3n::tokens
