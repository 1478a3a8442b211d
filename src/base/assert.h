// base/assert.h: what we believe, checked in release too. A stopped process costs seconds, a wrong record
// trust.
#pragma once

#include <cstddef>

namespace millrace {

// Writes one JSON log line with `condition`, file and line to stderr, and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

// The same where the system gives no more memory: nothing that was acknowledged is lost by it.
[[noreturn]] void out_of_memory(std::size_t bytes) noexcept;

}  // namespace millrace

// For facts about our own state only: bytes and values from outside are checked and answered with an Error.
#define MR_ASSERT(condition)                         \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::millrace::assertion_failed(#condition, __FILE__, __LINE__))
