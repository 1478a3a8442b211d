// base/result.h: errors as values. An error says what its receiver can do about it.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace millrace {

// A kind exists only where some caller acts on it; everything else is text.
enum class ErrorKind : unsigned char {
  kInvalid,      // change the request
  kNotFound,     // the thing named does not exist
  kConflict,     // read the new state, then decide
  kLimit,        // a quota of the account or server is used up: ask for less, or free some
  kThrottled,    // too fast: retry with back-off
  kUnavailable,  // nothing happened: retry later
  kUnknown,      // it may have happened: look before you retry
  kFenced,       // no longer the owner: stop
  kCorrupt,      // bytes at rest are wrong: stop; the text names file and offset
  // Of the master key that something is encrypted under: nothing happened, and nothing will until somebody
  // ...
  kKeyNotFound,      // … names another key
  kKeyDisabled,      // … enables it
  kKeyInvalidState,  // … cancels its deletion, or waits
  kKeyDenied,        // … is allowed to use it
  kKeyOptIn,         // … signs up for the key service
  kKeyThrottled,     // … retries with back-off
};

struct [[nodiscard]] Error {
  ErrorKind kind;
  std::string text;  // one line, for people: names the field or the file, and the limit
};

// A value or an Error. Like the value it holds, it belongs to one thread at a time.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Requires ok().
  T& value() & {
    MR_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    MR_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    MR_ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Requires !ok().
  Error& error() & {
    MR_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    MR_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    MR_ASSERT(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  Error& error() & {
    MR_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    MR_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    MR_ASSERT(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace millrace

// Returns the error of `expression` from the enclosing function, if it has one.
#define MR_TRY(expression)                                                                               \
  do {                                                                                                   \
    if (auto mr_try_result = (expression); !mr_try_result.ok()) return std::move(mr_try_result).error(); \
  } while (false)

#define MR_CONCAT_INNER(a, b) a##b
#define MR_CONCAT(a, b) MR_CONCAT_INNER(a, b)

// MR_ASSIGN(auto x, f()): x is f()'s value, or its error is returned from the enclosing function.
#define MR_ASSIGN(declaration, expression) \
  MR_ASSIGN_INNER(declaration, expression, MR_CONCAT(mr_assign_result_, __LINE__))
#define MR_ASSIGN_INNER(declaration, expression, name) \
  auto name = (expression);                            \
  if (!name.ok()) return std::move(name).error();      \
  declaration = std::move(name).value()
