// log/seeds.h: which seeds a simulation runs with, and the line that runs one of them again.
//
// MILLRACE_SEED=N runs that one alone; MILLRACE_FIRST_SEED=N runs as many as always, from N on (fresh ones,
// nightly).
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace millrace::log {

struct Seeds {
  std::uint64_t first;
  std::uint64_t count;
  bool is_only;  // one alone: what is summed over all of them says nothing
};

inline Seeds seeds(std::uint64_t count) {
  if (const char* only = std::getenv("MILLRACE_SEED"); only != nullptr)
    return {std::strtoull(only, nullptr, 10), 1, true};
  const char* first = std::getenv("MILLRACE_FIRST_SEED");
  return {first != nullptr ? std::strtoull(first, nullptr, 10) : 1, count, false};
}

// To paste into a shell.
inline std::string again(std::uint64_t seed) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format("again: MILLRACE_SEED={} test_log --gtest_filter={}.{}", seed, test->test_suite_name(),
                     test->name());
}

}  // namespace millrace::log
