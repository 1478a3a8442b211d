#include "kinesis/shard_id.h"

namespace millrace::kinesis {

std::string shard_id(std::uint32_t index) {
  std::string id(kShardIdBytes, '0');
  write_shard_id(index, id.data());
  return id;
}

std::optional<std::uint32_t> parse_shard_id(std::string_view text) {
  std::string_view digits = text;
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    digits = text.substr(dash + 1);
    digits = digits.substr(0, digits.find('-'));
    if (digits.empty()) digits = text;
  }
  if (digits.empty()) return std::nullopt;
  std::uint64_t index = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    index = index * 10 + static_cast<std::uint64_t>(digit - '0');
    if (index > 0x7fff'ffff) return std::nullopt;
  }
  return static_cast<std::uint32_t>(index);
}

}  // namespace millrace::kinesis
