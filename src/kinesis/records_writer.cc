#include "kinesis/records_writer.h"

#include <charconv>

#include "base/base64.h"
#include "broker/sequence_number.h"

namespace millrace::kinesis {
namespace {

class Cursor {
 public:
  explicit Cursor(std::uint8_t* out) : begin_(out), out_(reinterpret_cast<char*>(out)) {}

  void text(std::string_view text) {
    std::memcpy(out_, text.data(), text.size());
    out_ += text.size();
  }
  void number(const broker::SequenceNumber& number) { out_ += broker::format(number, out_); }
  void seconds(std::int64_t ms) {
    out_ = std::to_chars(out_, out_ + 24, ms / 1'000).ptr;
    *out_++ = '.';
    const auto rest = static_cast<int>(ms % 1'000);
    *out_++ = static_cast<char>('0' + rest / 100);
    *out_++ = static_cast<char>('0' + rest / 10 % 10);
    *out_++ = static_cast<char>('0' + rest % 10);
  }
  void base64(ByteView bytes) {
    base64_encode(bytes, out_);
    out_ += base64_encoded_size(bytes.size());
  }
  std::size_t written() const {
    return static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(out_) - begin_);
  }

 private:
  const std::uint8_t* begin_;
  char* out_;
};

constexpr std::size_t kFixedBytes = 192;  // of a record's names, number, time and marks, at most

std::uint64_t write_json(const broker::Shard& shard, std::span<const log::RecordView> records, Bytes& bytes) {
  std::size_t size = 16;
  std::uint64_t payload_bytes = 0;
  for (const log::RecordView& record : records) {
    size += kFixedBytes + base64_encoded_size(record.value.size()) + record.key.size();
    payload_bytes += log::payload_bytes(record);
  }
  bytes.reserve(bytes.size() + size + 1'024);  // … and what comes behind the records
  for (const log::RecordView& record : records) {
    const std::size_t room = kFixedBytes + base64_encoded_size(record.value.size());
    Cursor cursor(bytes.prepare(room));
    cursor.text(R"({"SequenceNumber":")");
    cursor.number(sequence_of(shard, record.offset, record.arrival_ms));
    cursor.text(R"(","ApproximateArrivalTimestamp":)");
    cursor.seconds(record.arrival_ms);
    cursor.text(R"(,"Data":")");
    cursor.base64(record.value);
    if (record.key.data() != nullptr) cursor.text(R"(","PartitionKey":")");
    bytes.commit(cursor.written());
    if (record.key.data() != nullptr) append_escaped(as_text(record.key), bytes);
    bytes.append(record.encrypted ? R"(","EncryptionType":"KMS"},)" : "\"},");
  }
  return payload_bytes;
}

}  // namespace

std::uint64_t write_records(const broker::Shard& shard, std::span<const log::RecordView> records,
                            Writer& writer) {
  std::uint64_t payload_bytes = 0;
  writer.key("Records");
  writer.begin_list();
  if (writer.encoding() == Encoding::kJson) {
    Bytes& bytes = writer.bytes();
    payload_bytes = write_json(shard, records, bytes);
    if (!records.empty()) bytes.resize(bytes.size() - 1);  // the last comma
  } else {
    for (const log::RecordView& record : records) {
      payload_bytes += log::payload_bytes(record);
      writer.begin_object();
      writer.member("SequenceNumber",
                    broker::to_string(sequence_of(shard, record.offset, record.arrival_ms)));
      writer.key("ApproximateArrivalTimestamp");
      writer.timestamp(record.arrival_ms);
      writer.key("Data");
      writer.blob(record.value);
      if (record.key.data() != nullptr) writer.member("PartitionKey", as_text(record.key));
      if (record.encrypted) writer.member("EncryptionType", "KMS");
      writer.end_object();
    }
  }
  writer.end_list();
  return payload_bytes;
}

}  // namespace millrace::kinesis
