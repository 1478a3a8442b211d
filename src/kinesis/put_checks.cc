#include "kinesis/put_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kinesis/stream_settings.h"

namespace millrace::kinesis {

bool may_put(const Call& call, const StreamPlace& place, std::span<const broker::PutEntry> entries,
             bool keyless) {
  const auto stream = look_up(call, place);
  if (stream == nullptr || (keyless && !stream->auto_distribution)) return false;
  if (stream->max_record_kib == 0) return true;
  const std::int64_t bytes_max = max_record_bytes(call, *stream);
  return std::all_of(entries.begin(), entries.end(), [bytes_max](const broker::PutEntry& entry) {
    return std::cmp_less_equal(broker::data_bytes(entry), bytes_max);
  });
}

Outcome check_record_sizes(const Call& call, const broker::Stream& stream,
                           std::span<const broker::PutEntry> entries, std::string_view list) {
  constexpr std::size_t kShownMax = 10;
  if (stream.max_record_kib == 0) return std::nullopt;
  const std::int64_t bytes_max = max_record_bytes(call, stream);
  std::size_t count = 0;
  std::string found;
  for (std::size_t i = 0; i < entries.size() && count < kShownMax; ++i) {
    if (std::cmp_less_equal(broker::data_bytes(entries[i]), bytes_max)) continue;
    // The service shows no value here: data is nobody's but its owner's.
    const std::string at = list.empty() ? "data" : fmt::format("{}{}.member.data", list, i + 1);
    found += fmt::format(
        "{}Value at '{}' failed to satisfy constraint: Member must have length less than or "
        "equal to {}",
        count > 0 ? "; " : "", at, bytes_max);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return validation(fmt::format("{} validation error{} detected: {}", count, count > 1 ? "s" : "", found));
}

bool distributes_itself(const Call& call, const StreamRef& ref) {
  const auto placed = place_of(call, ref);
  const auto* place = std::get_if<StreamPlace>(&placed);
  if (place == nullptr) return false;
  const auto stream = look_up(call, *place);
  return stream != nullptr && stream->auto_distribution;
}

}  // namespace millrace::kinesis
