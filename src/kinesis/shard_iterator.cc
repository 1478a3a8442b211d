#include "kinesis/shard_iterator.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "kinesis/token_fields.h"

namespace millrace::kinesis {

std::string to_text(const ShardIterator& iterator, TokenSeal& seal, RandomPool& random) {
  TokenFieldsOut fields;
  fields.integer(iterator.stream_id)
      .integer(iterator.shard_index)
      .integer(iterator.offset)
      .integer(static_cast<std::uint64_t>(iterator.issued_ms))
      .text(iterator.stream_name);
  constexpr std::size_t kBlocksMin = 7;  // 152 bytes in all
  return seal.seal(TokenKind::kShardIterator, fields.view(), kBlocksMin, random);
}

std::optional<ShardIterator> parse_shard_iterator(std::string_view text, TokenSeal& seal) {
  // The service takes one that is still in its JSON quotes (LocalStack's tests, recorded from it).
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  const auto plain = seal.open(TokenKind::kShardIterator, text);
  if (!plain.has_value()) return std::nullopt;
  TokenFieldsIn fields(plain->view());
  ShardIterator iterator;
  iterator.stream_id = fields.integer();
  iterator.shard_index = static_cast<std::uint32_t>(fields.integer());
  iterator.offset = fields.integer();
  iterator.issued_ms = static_cast<std::int64_t>(fields.integer());
  iterator.stream_name = fields.text();
  if (!fields.at_end()) return std::nullopt;
  return iterator;
}

std::string utc_text(std::int64_t ms) {
  return fmt::format("{:%a %b %d %H:%M:%S} UTC {:%Y}", fmt::gmtime(static_cast<std::time_t>(ms / 1'000)),
                     fmt::gmtime(static_cast<std::time_t>(ms / 1'000)));
}

}  // namespace millrace::kinesis
