// identity/quota.h: how much somebody may take a second, or may be taken of a stream. docs/identity.md
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::identity {

enum class Quantity : std::uint8_t { kRecordsIn, kBytesIn, kBytesOut, kRequests };
inline constexpr std::size_t kQuantities = 4;

struct QuantityName {
  std::string_view field;      // in requests of the administrator, and at rest
  std::string_view label;      // in metrics
  std::string_view what;       // for people: "1000 records/s in"
  std::uint64_t a_second_max;  // the least is 1
};
const QuantityName& name_of(Quantity quantity);

struct Quota {
  std::array<std::uint64_t, kQuantities> a_second{};  // 0: without bound

  std::uint64_t& operator[](Quantity quantity) { return a_second[static_cast<std::size_t>(quantity)]; }
  std::uint64_t operator[](Quantity quantity) const { return a_second[static_cast<std::size_t>(quantity)]; }
  bool operator==(const Quota&) const = default;
};
// errors   kInvalid: a figure is too great, or there is none; names field and limit
Result<void> check(const Quota& quota);

// Whose a quota is: "user/NAME", "role/NAME" or "stream/NAME"; "default" is each user's and role's who has
// none of their own.
inline constexpr std::string_view kDefaultQuota = "default";

}  // namespace millrace::identity
