#include "log/run_reader.h"

#include <fmt/format.h>

namespace millrace::log {

bool RunReader::read(const std::uint8_t* at) {
  const RunHeader run = load_run_header(at);
  if (run.end_offset() <= out_.next_offset) return true;
  if (run.arrival_ms < oldest_ms_ && out_.records.empty()) {
    out_.next_offset = run.end_offset();
    return true;
  }
  MR_ASSERT(run.first_offset <= out_.next_offset);
  return run.encrypted ? read_encrypted(at, run) : read_plain(at, run, false);
}

bool RunReader::read_plain(const std::uint8_t* at, const RunHeader& run, bool encrypted) {
  const std::uint8_t* next = at + kRunHeaderBytes;
  for (std::uint64_t skipped = run.first_offset; skipped < out_.next_offset; ++skipped)
    next += record_bytes(next);
  RecordView record;
  record.arrival_ms = run.arrival_ms;
  record.encrypted = encrypted;
  while (out_.next_offset < run.end_offset()) {
    const std::size_t length = load_record(next, record);
    const std::uint64_t payload = payload_bytes(record);
    if (out_.records.size() >= limits_.records_max ||
        (bytes_ + payload > limits_.bytes_max && !out_.records.empty())) {
      out_.next_arrival_ms = run.arrival_ms;
      return false;
    }
    record.offset = out_.next_offset++;
    out_.records.push_back(record);
    bytes_ += payload;
    next += length;
  }
  return true;
}

Result<std::shared_ptr<const Bytes>> RunReader::decrypt(ByteView run) {
  const CipherHead head = load_cipher_head(run.data() + kRunHeaderBytes);
  if (auto known = plain_runs_.find(head); known != nullptr) return known;
  auto plain = std::make_shared<Bytes>();
  MR_TRY(decryptor_->decrypt(run, *plain));
  // It was authenticated; yet what a reader walks is always checked first.
  MR_TRY(check_runs(plain->view()));
  plain_runs_.keep(head, plain);
  return std::shared_ptr<const Bytes>(std::move(plain));
}

bool RunReader::read_encrypted(const std::uint8_t* at, const RunHeader& run) {
  const auto give_up = [&](Error error) {
    error.text = fmt::format("records {} to {} of shard {}: {}", run.first_offset, run.end_offset() - 1,
                             to_number(run.shard), error.text);
    error_ = std::move(error);
    out_.next_arrival_ms = run.arrival_ms;
    return false;
  };
  const std::uint64_t key = load_cipher_head(at + kRunHeaderBytes).key;
  if (decryptor_ == nullptr)
    return give_up(
        {ErrorKind::kUnavailable, fmt::format("encrypted with data key {}, and there are no keys", key)});
  if (out_.records.size() >= limits_.records_max) {
    out_.next_arrival_ms = run.arrival_ms;
    return false;
  }
  if (!decryptor_->is_ready(key)) {
    missing_key_ = key;
    out_.next_arrival_ms = run.arrival_ms;
    return false;
  }
  auto decrypted = decrypt({at, kRunHeaderBytes + run.bytes});
  if (!decrypted.ok()) return give_up(std::move(decrypted).error());
  const std::shared_ptr<const Bytes> plain = std::move(*decrypted);
  out_.holders.push_back(plain);
  return read_plain(plain->data(), run, true);
}

}  // namespace millrace::log
