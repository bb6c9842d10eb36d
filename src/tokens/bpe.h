// Byte-fallback BPE over a vocabulary. Rules come from a merge list (tokenizer.json), or from scores (GGUF: a pair may merge when
// its concatenation is a normal piece, the best score first).
#pragma once

#include "tokens/tokenizer.h"
#include "tokens/vocabulary.h"

#include <memory>

namespace gemma3n::tokens {

// What two neighbouring pieces become, if they merge. Lower priority merges first; on ties the leftmost.
struct Merge {
    double priority;
    int id;
};

class Rules {
public:
    virtual ~Rules() = default;
    virtual bool find(int left, int right, Merge& out) const = 0;
};

class Bpe final : public Tokenizer {
public:
    // runs_first: runs of two or more space marks are matched whole before merging, for rules that cannot make them
    Bpe(std::unique_ptr<Vocabulary> vocabulary, std::unique_ptr<Rules> rules, bool runs_first);

    std::vector<int> encode(std::string_view text, EncodeOptions options) const override;
    std::string piece(int id) const override;
    std::string_view raw_piece(int id) const override;
    int byte_of(int id) const override { return in_range(id) ? v_->byte_of[id] : -1; }
    bool is_special(int id) const override { return in_range(id) && v_->special[id]; }
    int id_of(std::string_view raw) const override { return v_->index.find(raw); }
    int size() const override { return static_cast<int>(v_->pieces.size()); }
    int bos() const override { return v_->bos; }

private:
    bool in_range(int id) const { return id >= 0 && id < size(); }
    struct Scratch;
    void encode_segment(std::string_view text, Scratch& scratch, std::vector<int>& out) const;  // no added tokens inside
    size_t push_run(std::string_view text, Scratch& scratch) const;                             // bytes taken
    void merge(Scratch& scratch, std::vector<int>& out) const;
    std::unique_ptr<Vocabulary> v_;
    std::unique_ptr<Rules> rules_;
    Joints joints_;
    std::vector<std::pair<size_t, int>> runs_;  // (number of marks, id), the longest first; empty unless runs_first
};

Result<std::shared_ptr<Tokenizer>> tokenizer_from_gguf(const format::Checkpoint& checkpoint);

}  // namespace gemma3n::tokens
