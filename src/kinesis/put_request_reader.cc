#include "kinesis/put_request_reader.h"

#include <simdjson.h>

#include <cstring>

#include "base/base64.h"
#include "broker/hash_key.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kKeyCharactersMax = 256;

// The inside of a string token; nullopt for any other value. UTF-8 and control characters were checked by
// simdjson.
std::optional<std::string_view> raw_string(ondemand::value value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
    token.remove_suffix(1);
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  return token.substr(1, token.size() - 2);
}

bool is_plain(std::string_view raw) { return std::memchr(raw.data(), '\\', raw.size()) == nullptr; }

// Sets `view` to a string that stands there for the first time.
bool take_text(ondemand::value value, std::string_view& view) {
  const auto raw = raw_string(value);
  if (!raw.has_value() || raw->empty() || !is_plain(*raw) || view.data() != nullptr) return false;
  view = *raw;
  return true;
}

bool take_data(ondemand::value value, std::int64_t max_record_bytes, broker::PutEntry& entry,
               std::uint64_t& bytes) {
  const auto raw = raw_string(value);
  if (!raw.has_value() || entry.data.data() != nullptr) return false;
  const auto size = base64_decoded_size(*raw);
  if (!size.has_value() || static_cast<std::int64_t>(*size) > max_record_bytes) return false;
  entry.data = *raw;
  entry.base64 = true;
  bytes += *size;
  return true;
}

bool take_hash_key(ondemand::value value, broker::PutEntry& entry) {
  const auto raw = raw_string(value);
  if (!raw.has_value() || entry.explicit_hash_key.has_value() || !kHashKeyPattern.matches(*raw)) return false;
  entry.explicit_hash_key = broker::parse_hash_key(*raw);
  return entry.explicit_hash_key.has_value();
}

// What PutRecords' entries and PutRecord have in common. False: not one of these members, or not plain.
bool take_member(ondemand::raw_json_string key, ondemand::value value, std::int64_t max_record_bytes,
                 broker::PutEntry& entry, std::uint64_t& bytes) {
  switch (key.raw()[0]) {
    case 'D':
      return key.unsafe_is_equal("Data") && take_data(value, max_record_bytes, entry, bytes);
    case 'P':
      if (!key.unsafe_is_equal("PartitionKey") || !take_text(value, entry.partition_key)) return false;
      bytes += entry.partition_key.size();
      return entry.partition_key.size() <= kKeyCharactersMax;
    case 'E':
      return key.unsafe_is_equal("ExplicitHashKey") && take_hash_key(value, entry);
    default:
      return false;
  }
}

// Notes where a record has no partition key.
bool is_whole(const broker::PutEntry& entry, PutTarget& target) {
  target.keyless = target.keyless || entry.partition_key.data() == nullptr;
  return entry.data.data() != nullptr;
}

bool is_whole(const PutTarget& target) {
  if (target.stream_arn.data() != nullptr && !kStreamArnPattern.matches(target.stream_arn)) return false;
  if (target.stream_name.data() == nullptr) return target.stream_arn.data() != nullptr;
  return target.stream_name.size() <= 128 && kNamePattern.matches(target.stream_name);
}

bool take_target(ondemand::raw_json_string key, ondemand::value value, PutTarget& target) {
  if (key.unsafe_is_equal("StreamName")) return take_text(value, target.stream_name);
  return key.unsafe_is_equal("StreamARN") && take_text(value, target.stream_arn) &&
         target.stream_arn.size() <= 2'048;
}

bool take_entries(ondemand::value value, std::int64_t max_record_bytes, PutTarget& target,
                  std::vector<broker::PutEntry>& entries) {
  ondemand::array records;
  if (!entries.empty() || value.get_array().get(records) != simdjson::SUCCESS) return false;
  std::uint64_t bytes = 0;
  for (auto record : records) {
    ondemand::object members;
    if (entries.size() == kPutRecordsMax || record.get_object().get(members) != simdjson::SUCCESS)
      return false;
    broker::PutEntry& entry = entries.emplace_back();
    for (auto member : members) {
      ondemand::raw_json_string key;
      ondemand::value inner;
      if (member.key().get(key) != simdjson::SUCCESS || member.value().get(inner) != simdjson::SUCCESS)
        return false;
      if (!take_member(key, inner, max_record_bytes, entry, bytes)) return false;
    }
    if (!is_whole(entry, target)) return false;
  }
  return !entries.empty() && bytes <= put_bytes_max(max_record_bytes);
}

}  // namespace

struct PutRequestReader::Parser {
  // Calls take(key, value) for each member of the body's object until it says false.
  template <typename Take>
  bool members(const Bytes& body, Take take) {
    const bool taken = walk(body, take);
    constexpr std::size_t kKeptBytesMax = 4u << 20;
    if (body.size() > kKeptBytesMax) parser = ondemand::parser();  // its memory grows with the largest body
    return taken;
  }

  ondemand::parser parser;

 private:
  template <typename Take>
  bool walk(const Bytes& body, Take& take) {
    static_assert(Bytes::kSlackBytes >= simdjson::SIMDJSON_PADDING);
    const simdjson::padded_string_view json(body.data(), body.size(), body.size() + Bytes::kSlackBytes);
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(json).get(document) != simdjson::SUCCESS) return false;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto member : object) {
      ondemand::raw_json_string key;
      ondemand::value value;
      if (member.key().get(key) != simdjson::SUCCESS || member.value().get(value) != simdjson::SUCCESS)
        return false;
      if (!take(key, value)) return false;
    }
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;  // nothing behind the object
  }
};

PutRequestReader::PutRequestReader() : parser_(std::make_unique<Parser>()) {}
PutRequestReader::~PutRequestReader() = default;
PutRequestReader::PutRequestReader(PutRequestReader&&) noexcept = default;

bool PutRequestReader::read_records(const Bytes& body, std::int64_t max_record_bytes, PutTarget& target,
                                    std::vector<broker::PutEntry>& entries) {
  const bool taken = parser_->members(body, [&](ondemand::raw_json_string key, ondemand::value value) {
    if (key.unsafe_is_equal("Records")) return take_entries(value, max_record_bytes, target, entries);
    return take_target(key, value, target);
  });
  return taken && !entries.empty() && is_whole(target);
}

bool PutRequestReader::read_record(const Bytes& body, std::int64_t max_record_bytes, PutTarget& target,
                                   broker::PutEntry& entry) {
  std::uint64_t bytes = 0;
  const bool taken = parser_->members(body, [&](ondemand::raw_json_string key, ondemand::value value) {
    if (key.raw()[0] == 'S') return take_target(key, value, target);
    return take_member(key, value, max_record_bytes, entry, bytes);
  });
  return taken && is_whole(entry, target) && is_whole(target);
}

}  // namespace millrace::kinesis
