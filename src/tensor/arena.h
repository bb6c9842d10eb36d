// Scratch memory of a step: a stack of bytes that grows to the largest step and is reused by the next. Views stay valid until
// their scope ends.
#pragma once

#include "tensor/view.h"

#include <cstdlib>
#include <deque>
#include <memory>
#include <new>

namespace gemma3n {

class Arena {
public:
    // 64-byte aligned, not initialised. Throws std::bad_alloc.
    std::byte* bytes(uint64_t n) { return take(n).first; }

    // A contiguous view [rows, cols] of a plain type.
    View view(int64_t rows, int64_t cols, DType type = DType::f32) {
        const uint64_t stride = row_bytes(type, cols);
        auto [data, chunk] = take(static_cast<uint64_t>(rows) * stride);
        return {&chunk->buffer, static_cast<uint64_t>(data - chunk->buffer.data), type, rows, cols, stride};
    }

    // Room for n bytes in one piece, in place of all there is; nothing may be taken. Memory that is not written is not resident.
    // Throws std::bad_alloc.
    void reserve(uint64_t n) {
        if (chunks_.size() == 1 && chunks_[0].buffer.size >= n) return;
        chunks_.clear();
        current_ = 0;
        add_chunk(n);
    }

    // The most that was taken at a time.
    uint64_t peak_bytes() const { return peak_; }

    uint64_t capacity_bytes() const {
        uint64_t n = 0;
        for (auto& c : chunks_) n += c.buffer.size;
        return n;
    }

    // Everything taken inside a scope is free again after it.
    class Scope {
    public:
        explicit Scope(Arena& a) : arena_(a), chunk_(a.current_), used_(a.chunks_.empty() ? 0 : a.chunks_[a.current_].used), taken_(a.taken_) {}
        ~Scope() {
            for (size_t i = chunk_ + 1; i < arena_.chunks_.size(); i++) arena_.chunks_[i].used = 0;
            arena_.current_ = chunk_;
            if (!arena_.chunks_.empty()) arena_.chunks_[chunk_].used = used_;
            arena_.taken_ = taken_;
        }
        Scope(const Scope&) = delete;

    private:
        Arena& arena_;
        size_t chunk_;
        uint64_t used_, taken_;
    };

private:
    struct Free {
        void operator()(std::byte* p) const { std::free(p); }
    };
    struct Chunk {
        std::unique_ptr<std::byte, Free> memory;
        Buffer buffer;
        uint64_t used = 0;
    };
    static constexpr uint64_t min_chunk = 8u << 20;

    std::pair<std::byte*, Chunk*> take(uint64_t n) {
        n = (n + 63) / 64 * 64;
        taken_ += n;
        peak_ = taken_ > peak_ ? taken_ : peak_;
        for (; current_ < chunks_.size(); current_++) {
            Chunk& c = chunks_[current_];
            if (c.buffer.size - c.used >= n) {
                std::byte* p = c.buffer.data + c.used;
                c.used += n;
                return {p, &c};
            }
        }
        Chunk& c = add_chunk(n > min_chunk ? n : min_chunk);
        c.used = n;
        return {c.buffer.data, &c};
    }

    Chunk& add_chunk(uint64_t size) {
        size = (size + 63) / 64 * 64;
        auto* p = static_cast<std::byte*>(std::aligned_alloc(64, size));
        if (!p) {
            current_ = chunks_.empty() ? 0 : chunks_.size() - 1;
            throw std::bad_alloc();
        }
        Chunk& c = chunks_.emplace_back();
        c.memory.reset(p);
        c.buffer = {p, size};
        current_ = chunks_.size() - 1;
        return c;
    }

    std::deque<Chunk> chunks_;  // stable addresses: views point at their Buffer
    size_t current_ = 0;
    uint64_t taken_ = 0, peak_ = 0;
};

}  // namespace gemma3n
