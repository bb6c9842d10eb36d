#include "tokens/bpe.h"

#include "tokens/utf8.h"

#include <queue>

namespace gemma3n::tokens {

namespace {

struct Symbol {
    int id;
    int previous, next;  // neighbours, -1 at the ends
};

struct Candidate {
    double priority;
    int at;   // left symbol
    int id;   // what the pair becomes
    bool operator<(const Candidate& o) const { return priority != o.priority ? priority > o.priority : at > o.at; }  // for a max-heap
};

}  // namespace

std::vector<int> Bpe::encode(std::string_view text, EncodeOptions options) const {
    std::vector<int> out;
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
        encode_segment(text.substr(begin, i - begin), out);
        out.push_back(id);
        i += n;
        begin = i;
    }
    encode_segment(text.substr(begin), out);
    return out;
}

void Bpe::encode_segment(std::string_view text, std::vector<int>& out) const {
    if (text.empty()) return;
    std::string marked;
    marked.reserve(text.size() + 16);
    for (const char c : text) {
        if (c == ' ') marked += space_mark;
        else marked += c;
    }
    if (!runs_first_) return encode_marked(marked, out);
    // runs of marks, the longest piece first
    constexpr size_t m = space_mark.size();
    size_t begin = 0;
    for (size_t i = 0; i < marked.size();) {
        size_t run = 0;
        while (marked.compare(i + run * m, m, space_mark) == 0) run++;
        if (run < 2) {
            i += run ? m : 1;
            continue;
        }
        encode_marked(std::string_view(marked).substr(begin, i - begin), out);
        for (size_t left = run; left > 0;) {
            size_t n = left < 31 ? left : 31;
            int id = -1;
            while (n >= 2 && (id = v_->index.find(std::string(n, ' '))) < 0) n--;
            if (n < 2) {
                encode_marked(space_mark, out);
                n = 1;
            } else {
                out.push_back(id);
            }
            left -= n;
        }
        i += run * m;
        begin = i;
    }
    encode_marked(std::string_view(marked).substr(begin), out);
}

void Bpe::encode_marked(std::string_view text, std::vector<int>& out) const {
    std::vector<Symbol> symbols;
    symbols.reserve(text.size());
    const auto push = [&](int id) {
        const int at = static_cast<int>(symbols.size());
        symbols.push_back({id, at - 1, at + 1});
    };
    bool last_unknown = false;
    for (size_t i = 0; i < text.size();) {
        const int n = utf8_length(text, i);
        const std::string_view c = text.substr(i, n > 0 ? static_cast<size_t>(n) : 1);
        i += c.size();
        const int id = n > 0 ? v_->index.find(c) : -1;
        bool bytes = id < 0;
        for (const char b : c) bytes = bytes && v_->id_of_byte[static_cast<uint8_t>(b)] >= 0;
        if (id >= 0) {
            push(id);
        } else if (bytes) {
            for (const char b : c) push(v_->id_of_byte[static_cast<uint8_t>(b)]);
        } else if (v_->unknown >= 0 && !last_unknown) {
            push(v_->unknown);  // neighbouring unknowns are one
        }
        last_unknown = id < 0 && !bytes;
    }
    if (symbols.empty()) return;
    symbols.back().next = -1;

    std::priority_queue<Candidate> queue;
    const auto offer = [&](int at) {
        Merge m;
        if (at >= 0 && symbols[at].next >= 0 && rules_->find(symbols[at].id, symbols[symbols[at].next].id, m)) queue.push({m.priority, at, m.id});
    };
    for (size_t i = 0; i + 1 < symbols.size(); i++) offer(static_cast<int>(i));
    while (!queue.empty()) {
        const Candidate c = queue.top();
        queue.pop();
        Symbol& left = symbols[c.at];
        if (left.id < 0 || left.next < 0) continue;  // merged away meanwhile
        Symbol& right = symbols[left.next];
        Merge m;
        if (!rules_->find(left.id, right.id, m) || m.id != c.id || m.priority != c.priority) continue;
        left.id = c.id;
        right.id = -1;
        left.next = right.next;
        if (right.next >= 0) symbols[right.next].previous = c.at;
        offer(left.previous);
        offer(c.at);
    }
    for (int i = 0; i >= 0; i = symbols[i].next) out.push_back(symbols[i].id);
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
