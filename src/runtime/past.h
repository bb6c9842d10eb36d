// What a session's cache holds, as the tokens that went in: 24 bytes each, and the pictures and sound among them kept alive. For the case
// that they have to be processed again.
#pragma once

#include "runtime/prompt.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace gemma3n::runtime {

class Past {
public:
    // Room for n more, so that the next n pushes do not fail. Throws std::bad_alloc.
    void make_room(size_t n) {
        if (rows_.capacity() < rows_.size() + n) rows_.reserve(std::max(rows_.size() + n, 2 * rows_.capacity()));
    }
    // A row of Engine::step: the caller's own vector is not kept.
    void push(int id, const float* callers_vector) {
        if (callers_vector) first_unknown_ = std::min(first_unknown_, rows_.size());
        rows_.push_back({id});
    }
    // Rows of a prompt; marks are left to be completed again.
    void push(std::span<const InputRow> rows) {
        for (const InputRow& r : rows) rows_.push_back({r.id, r.mark ? nullptr : r.embedding});
    }
    // What the rows of a prompt point into. Room for it is made before they are pushed, so that keeping it does not fail after that.
    void make_room_for(const std::vector<std::shared_ptr<const SoftTokens>>& media) { media_.reserve(media_.size() + media.size()); }
    void keep(const std::vector<std::shared_ptr<const SoftTokens>>& media) { media_.insert(media_.end(), media.begin(), media.end()); }

    // Of every token, or nothing if some came as a caller's vector.
    const std::vector<InputRow>* rows() const { return first_unknown_ < rows_.size() ? nullptr : &rows_; }
    size_t size() const { return rows_.size(); }

    void shorten(size_t n) {
        rows_.resize(std::min(n, rows_.size()));
        if (first_unknown_ >= n) first_unknown_ = none;
        if (n == 0) media_.clear();
    }

private:
    static constexpr size_t none = ~size_t{0};
    std::vector<InputRow> rows_;
    std::vector<std::shared_ptr<const SoftTokens>> media_;
    size_t first_unknown_ = none;
};

}  // namespace gemma3n::runtime
