// Status and Result: how every fallible call of the library answers.
//
// A wrong world (file, request, option, memory) gives an Error whose message is one sentence that names the subject, what was
// found and what was expected. The library never prints, exits or aborts because of input. Our own mistakes are checks.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace gemma3n {

enum class Code {
    bad_argument,  // an option or a request that cannot be meant
    bad_file,      // broken, truncated, hostile or inconsistent file
    not_found,     // no such file, model, tensor, session
    io,            // the system failed to read or write
    unsupported,   // well formed, but not something this engine does
    over_budget,   // refused: it would not fit the memory allowed
    context_full,  // the sequence has no room for another token
    cancelled,     // the caller's callback said stop
};

struct Error {
    Code code;
    std::string message;  // one sentence, no trailing newline
};

// Either a T or an Error. `if (!r) return r.error();` is the whole protocol.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return v_.index() == 0; }
    T& value() & { return std::get<0>(v_); }
    const T& value() const& { return std::get<0>(v_); }
    T&& value() && { return std::get<0>(std::move(v_)); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    const Error& error() const { return std::get<1>(v_); }

private:
    std::variant<T, Error> v_;
};

// Success without a value.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(Error error) : error_(std::move(error)), ok_(false) {}

    explicit operator bool() const { return ok_; }
    const Error& error() const { return error_; }

private:
    Error error_{};
    bool ok_ = true;
};

}  // namespace gemma3n
