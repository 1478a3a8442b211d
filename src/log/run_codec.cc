#include "log/run_codec.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::log {

namespace {

// Bytes of a record before its key; depends on the flags alone.
std::size_t prefix_bytes(std::uint16_t flags) {
  return kRecordHeaderBytes + ((flags & kRecordHasHashKey) != 0 ? kHashKeyBytes : 0) +
         ((flags & kRecordHasAttributes) != 0 ? 4 : 0);
}

bool record_is_sound(ByteView bytes) {
  if (bytes.size() < kRecordHeaderBytes) return false;
  const std::size_t length = load<std::uint32_t>(bytes.data());
  const std::size_t key_bytes = load<std::uint16_t>(bytes.data() + 4);
  const std::uint16_t flags = load<std::uint16_t>(bytes.data() + 6);
  if (length > bytes.size() || (flags & ~kRecordFlagsKnown) != 0) return false;
  const std::size_t prefix = prefix_bytes(flags);
  if (prefix > length) return false;
  std::size_t fixed = prefix + key_bytes;
  if ((flags & kRecordHasAttributes) != 0) fixed += load<std::uint32_t>(bytes.data() + prefix - 4);
  return fixed <= length && (key_bytes == 0 || (flags & kRecordHasKey) != 0);
}

}  // namespace

std::size_t load_record(const std::uint8_t* at, RecordView& record) {
  const std::size_t length = load<std::uint32_t>(at);
  const std::size_t key_bytes = load<std::uint16_t>(at + 4);
  const std::uint16_t flags = load<std::uint16_t>(at + 6);
  const std::uint8_t* next = at + kRecordHeaderBytes;
  if ((flags & kRecordHasHashKey) != 0) {
    record.explicit_hash_key.emplace();
    std::copy_n(next, kHashKeyBytes, record.explicit_hash_key->begin());
    next += kHashKeyBytes;
  } else {
    record.explicit_hash_key.reset();
  }
  std::size_t attributes_bytes = 0;
  if ((flags & kRecordHasAttributes) != 0) {
    attributes_bytes = load<std::uint32_t>(next);
    next += 4;
  }
  record.key = (flags & kRecordHasKey) != 0 ? ByteView{next, key_bytes} : ByteView{};
  next += key_bytes;
  record.attributes = attributes_bytes != 0 ? ByteView{next, attributes_bytes} : ByteView{};
  next += attributes_bytes;
  record.value = {next, static_cast<std::size_t>(at + length - next)};
  return length;
}

Result<void> check_runs(ByteView bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at < kRunHeaderBytes)
      return Error{ErrorKind::kCorrupt, fmt::format("a run's header is cut short at byte {}", at)};
    const RunHeader run = load_run_header(bytes.data() + at);
    const std::size_t end = at + kRunHeaderBytes + run.bytes;
    if (run.count == 0 || end > bytes.size() || run.end_offset() < run.first_offset)
      return Error{ErrorKind::kCorrupt, fmt::format("a run's header is wrong at byte {}", at)};
    if (run.encrypted) {
      constexpr std::uint64_t kAround = kCipherHeadBytes + kCipherTagBytes;
      if (run.bytes < kAround + std::uint64_t{run.count} * kRecordHeaderBytes)
        return Error{ErrorKind::kCorrupt, fmt::format("an encrypted run is too short at byte {}", at)};
      at = end;
      continue;
    }
    std::size_t next = at + kRunHeaderBytes;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      if (!record_is_sound(bytes.subspan(next, end - next)))
        return Error{ErrorKind::kCorrupt, fmt::format("a record's header is wrong at byte {}", next)};
      next += record_bytes(bytes.data() + next);
    }
    if (next != end)
      return Error{ErrorKind::kCorrupt,
                   fmt::format("{} bytes behind a run's last record at byte {}", end - next, next)};
    at = end;
  }
  return {};
}

}  // namespace millrace::log
