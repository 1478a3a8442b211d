// Byte 0: an operation. Byte 1: 0 the rest is its body in JSON, 1 in CBOR, 2 the rest draws a JSON body from
// the operation's description. Whatever comes, it is read without a fault, and an error is an answer that can
// be parsed; and what the short way of the puts takes, the description takes too.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/decode.h"
#include "base/assert.h"
#include "kinesis/operation.h"
#include "kinesis/put_request_reader.h"
#include "kinesis/shard_id.h"
#include "kinesis/shard_iterator.h"

namespace millrace::kinesis {
namespace {

constexpr std::int64_t kMaxRecord = 1'000;

// Draws choices from the input; nothing but zeros behind its end.
class Draw {
 public:
  explicit Draw(std::string_view bytes) : bytes_(bytes) {}
  std::size_t below(std::size_t end) { return end == 0 ? 0 : byte() % end; }
  std::string text() {
    static constexpr std::string_view kTexts[] = {"s",
                                                  "",
                                                  "shardId-000000000001",
                                                  "LATEST",
                                                  "YWJj",
                                                  "YW/=",
                                                  "0",
                                                  "340282366920938463463374607431768211456",
                                                  "arn:aws:kinesis:us-east-1:000000000000:stream/s",
                                                  "AT_TIMESTAMP",
                                                  "\xf0\x9f\x98\x80",
                                                  "a b"};
    const std::size_t which = below(std::size(kTexts) + 2);
    if (which < std::size(kTexts)) return std::string(kTexts[which]);
    if (which == std::size(kTexts)) return std::string(below(256) * 3, 'a');
    std::string drawn;
    for (std::size_t left = below(8); left > 0; --left) drawn += static_cast<char>(byte() & 0x7f);
    return drawn;
  }

 private:
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  std::string_view bytes_;
};

nlohmann::json draw_value(const Field& field, Draw& draw);

nlohmann::json draw_structure(std::span<const Field> fields, Draw& draw) {
  nlohmann::json structure = nlohmann::json::object();
  for (const Field& field : fields)
    if (draw.below(4) != 0) structure[std::string(field.name)] = draw_value(field, draw);
  return structure;
}

nlohmann::json draw_value(const Field& field, Draw& draw) {
  const std::size_t odd = draw.below(32);
  if (odd == 1) return nullptr;
  if (odd == 2) return nlohmann::json::array({1, "x", nlohmann::json::object()});
  if (odd == 3) return {{"a", {{"b", 1e30}}}};
  if (odd == 4) return -1.5;
  if (odd == 5) return "text";
  nlohmann::json list = nlohmann::json::array();
  switch (field.type) {
    case FieldType::kString:
    case FieldType::kBlob:
      return draw.text();
    case FieldType::kInteger:
    case FieldType::kTimestamp:
      return static_cast<int>(draw.below(256)) - 2;
    case FieldType::kBoolean:
      return draw.below(2) == 1;
    case FieldType::kStringList:
      for (std::size_t left = draw.below(12); left > 0; --left) list.push_back(draw.text());
      return list;
    case FieldType::kStringMap: {
      nlohmann::json map = nlohmann::json::object();
      for (std::size_t left = draw.below(12); left > 0; --left) map[draw.text()] = draw.text();
      return map;
    }
    case FieldType::kStructure:
      return draw_structure(field.children(), draw);
    case FieldType::kStructureList:
      for (std::size_t left = draw.below(8); left > 0; --left)
        list.push_back(draw_structure(field.children(), draw));
      return list;
  }
  return nullptr;
}

void expect_answer(const ApiError& error) {
  Writer writer(Encoding::kJson);
  write_error(error, writer);
  const auto parsed = nlohmann::json::parse(writer.bytes().text(), nullptr, false);
  MR_ASSERT(!parsed.is_discarded());
  MR_ASSERT(parsed["__type"] == error.type);
}

// Whether the body is one that the operation would begin to work on.
bool described_takes(Encoding encoding, const Bytes& body, std::span<const Field> fields) {
  auto document = read_document(encoding, body.view(), fields);
  if (!document.has_value() || document->kind != Value::Kind::kMap) return false;
  Outcome wrong = check_types(fields, *document);
  if (!wrong.has_value()) wrong = check_rules(fields, *document, kMaxRecord);
  if (wrong.has_value()) expect_answer(*wrong);
  return !wrong.has_value();
}

bool is_base64(const broker::PutEntry& entry) {
  Value value{.kind = Value::Kind::kString, .text = std::string(entry.data)};
  Value structure{.kind = Value::Kind::kMap, .items = {value}};
  struct Holder {
    Blob data;
  };
  static constexpr Field kBlob[] = {field<Holder, &Holder::data>("Data")};
  return !check_types(kBlob, structure).has_value();
}

void check_puts(const Bytes& body, std::span<const Field> fields, bool many) {
  static PutRequestReader reader;
  PutTarget target;
  std::vector<broker::PutEntry> entries;
  if (!many) entries.emplace_back();
  const bool taken = many ? reader.read_records(body, kMaxRecord, target, entries)
                          : reader.read_record(body, kMaxRecord, target, entries.front());
  if (!taken || target.keyless) return;  // without keys it depends on the stream
  const bool all_base64 = std::all_of(entries.begin(), entries.end(), is_base64);
  if (all_base64) MR_ASSERT(described_takes(Encoding::kJson, body, fields));
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  const auto operations = all_operations();
  const Operation& operation = *operations[static_cast<std::uint8_t>(input[0]) % operations.size()];
  const std::size_t mode = static_cast<std::uint8_t>(input[1]) % 3;
  input.remove_prefix(2);
  Bytes body(input);
  if (mode == 2) {
    Draw draw(input);
    body = Bytes(draw_structure(operation.fields, draw)
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  described_takes(mode == 1 ? Encoding::kCbor : Encoding::kJson, body, operation.fields);
  if (mode != 1 && operation.name == "PutRecords") check_puts(body, operation.fields, true);
  if (mode != 1 && operation.name == "PutRecord") check_puts(body, operation.fields, false);
  static TokenSeal seal{TokenKey{}};
  MR_ASSERT(!parse_shard_iterator(input, seal).has_value());
  parse_shard_id(input);
}

}  // namespace
}  // namespace millrace::kinesis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::kinesis::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
