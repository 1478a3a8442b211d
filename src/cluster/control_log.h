// cluster/control_log.h: a chain of numbered objects in an ObjectStore: whoever creates number n has appended
// it, and everyone reads them in order and so holds the same state. Snapshots bound its length.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "store/object_store.h"

namespace millrace::cluster {

// One thread at a time. Everything blocks.
class ControlLog {
 public:
  struct Opened;
  // store    borrowed, outlives the log.  prefix   of its objects, ends in '/': "control/"
  // errors   kCorrupt: an object is damaged or one in the middle is missing; names it.  kUnavailable
  static Result<Opened> open(store::ObjectStore& store, std::string prefix);

  // Appends `entry` as the next number; durable when it returns.
  // errors   kConflict: another writer has that number (read on, then decide).  kUnavailable: not appended.
  //          kUnknown: perhaps appended; the next append finds out and answers kConflict if so
  Result<void> append(std::string_view entry);

  // Stores `state`, which holds the effect of every entry up to now, and removes the entries and snapshots
  // that it replaces. A failure loses nothing: the older ones stay.
  Result<void> snapshot(std::string_view state);

  // Number of the last entry; entries since the last snapshot.
  std::uint64_t last() const { return last_; }
  std::uint64_t since_snapshot() const { return last_ - snapshot_; }

 private:
  ControlLog(store::ObjectStore& store, std::string prefix) : store_(&store), prefix_(std::move(prefix)) {}
  Result<void> remove_before(std::string_view folder, std::uint64_t number);

  store::ObjectStore* store_;
  std::string prefix_;
  std::uint64_t last_ = 0;
  std::uint64_t snapshot_ = 0;
};

struct ControlLog::Opened {
  std::unique_ptr<ControlLog> log;
  std::optional<std::string> snapshot;  // the newest, if there is one
  std::vector<std::string> entries;     // after it, in order
};

// An object's bytes: magic "MRCL", version 1, kind, number, length, CRC32C, content. docs/format.md, "Control
// log".
enum class ControlObject : std::uint8_t { kEntry = 1, kSnapshot = 2 };
Bytes frame_control_object(ControlObject kind, std::uint64_t number, std::string_view content);
// errors   kCorrupt: text says what is wrong, without the object's name
Result<std::string> unframe_control_object(ControlObject kind, std::uint64_t number, ByteView bytes);

}  // namespace millrace::cluster
