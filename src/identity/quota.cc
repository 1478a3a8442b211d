#include "identity/quota.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::identity {

const QuantityName& name_of(Quantity quantity) {
  // Sixteenths of a nanosecond still tell such figures apart: quota_meter.h.
  static constexpr std::array<QuantityName, kQuantities> kNames = {{
      {"RecordsInPerSecond", "records_in", "records/s in", 100'000'000},
      {"BytesInPerSecond", "bytes_in", "bytes/s in", 100'000'000'000},
      {"BytesOutPerSecond", "bytes_out", "bytes/s out", 100'000'000'000},
      {"RequestsPerSecond", "requests", "requests/s", 100'000'000},
  }};
  return kNames[static_cast<std::size_t>(quantity)];
}

Result<void> check(const Quota& quota) {
  for (std::size_t i = 0; i < kQuantities; ++i) {
    const QuantityName& name = name_of(static_cast<Quantity>(i));
    if (quota.a_second[i] > name.a_second_max)
      return Error{ErrorKind::kInvalid, fmt::format("{} is {}: must be 1 to {}", name.field,
                                                    quota.a_second[i], name.a_second_max)};
  }
  if (std::all_of(quota.a_second.begin(), quota.a_second.end(), [](auto figure) { return figure == 0; }))
    return Error{ErrorKind::kInvalid,
                 fmt::format("a quota needs at least one of {}, {}, {} and {}",
                             name_of(Quantity::kRecordsIn).field, name_of(Quantity::kBytesIn).field,
                             name_of(Quantity::kBytesOut).field, name_of(Quantity::kRequests).field)};
  return {};
}

}  // namespace millrace::identity
