// cluster/control_log.h: a chain of numbered objects in an ObjectStore: whoever creates number n has appended
// it, and everyone reads them in order and so holds the same state. Snapshots bound its length.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "store/object_store.h"
#include "store/origin.h"

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
  //          kUnknown: perhaps appended: confirm() before anything else
  Result<void> append(std::string_view entry);
  // Makes the entry of the append before, which answered kUnknown or kConflict, hold: it is appended then.
  // errors   kUnavailable: not yet, try again.  kConflict: another writer has that number
  Result<void> confirm();

  // Whether a snapshot would pay: what was appended since the last one costs a start more to read than twice
  // that snapshot.
  bool snapshot_due() const;

  // A snapshot on its way: pieces of a state, one behind the other, which hold the effect of every entry up
  // to begin_snapshot(). Entries may be appended between its calls. One that is not ended never was.
  class Snapshot;
  // errors   as ObjectStore::create
  Result<std::unique_ptr<Snapshot>> begin_snapshot();
  // A failure loses nothing: the older ones stay.
  Result<void> end_snapshot(Snapshot& snapshot);
  // That it could not be written: the next is due when as much was appended again.
  void snapshot_failed() { cost_ = 0; }
  // Removes some of the entries and snapshots that the last snapshot replaces. Whether there are more.
  Result<bool> remove_replaced();

  // All of that in one go.
  Result<void> snapshot(std::string_view state);

  // Number of the last entry; entries since the last snapshot.
  std::uint64_t last() const { return last_; }
  std::uint64_t since_snapshot() const { return last_ - snapshot_; }

 private:
  ControlLog(store::ObjectStore& store, std::string prefix) : store_(&store), prefix_(std::move(prefix)) {}
  void count(std::size_t entry_bytes);

  store::ObjectStore* store_;
  std::string prefix_;
  std::uint64_t last_ = 0;
  std::uint64_t snapshot_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  Bytes doubtful_;  // the object of number last_ + 1, while it is not known whether it is there
  std::size_t doubtful_bytes_ = 0;        // of its entry
  std::uint64_t cost_ = 0;                // of the entries since the last snapshot
  std::uint64_t first_entry_ = 1;         // none before it is there
  std::vector<std::uint64_t> snapshots_;  // that are there besides the last
};

struct ControlLog::Opened {
  std::unique_ptr<ControlLog> log;
  std::optional<std::string> snapshot;  // the newest, if there is one
  std::vector<std::string> entries;     // after it, in order
};

class ControlLog::Snapshot {
 public:
  // errors   as ObjectStore::Writer::append
  Result<void> append(std::string_view piece);

 private:
  friend class ControlLog;
  Snapshot(std::unique_ptr<store::ObjectStore::Writer> object, std::uint64_t number, std::uint64_t cost)
      : object_(std::move(object)), number_(number), cost_(cost) {}

  std::unique_ptr<store::ObjectStore::Writer> object_;
  const std::uint64_t number_;  // of the last entry whose effect it holds
  const std::uint64_t cost_;    // of the entries that it replaces
  std::uint64_t bytes_ = 0;
  std::uint32_t crc_ = 0;
};

// Of the format that is written: docs/format.md.
inline constexpr std::uint16_t kControlVersion = 2;

// A chain as it stands in a store.
struct Chain {
  std::optional<std::string> snapshot;  // the newest, if there is one
  std::vector<std::string> entries;     // after it, in order
  store::PartMark mark;                 // what it reaches
  // The objects' own sums, of which the mark's is made: the snapshot's, and the entries'.
  std::optional<std::uint32_t> snapshot_sum;
  std::vector<std::uint32_t> entry_sums;
  std::vector<std::uint64_t> older_snapshots;  // that are there besides
  std::uint64_t first_entry = 1;               // no entry before it is there
  // Whose its objects are: an object of each folder that one names, and of the newest start.
  std::map<std::uint64_t, std::string> folders;
  std::uint64_t newest_start = 0;
  std::string of_newest_start;  // an object's name
};

// Reads a chain and changes nothing.
// expected   what it must reach: what was noted of it; nullptr: nothing is known
// fault      takes each thing that is wrong (kCorrupt, one line, names the object); an error that it answers
// ends the
//            reading. What follows a damaged object is read, but is not the state that was
// errors     what `fault` answers.  kUnavailable
Result<Chain> read_chain(store::ObjectStore& store, const std::string& prefix,
                         const store::PartMark* expected, const std::function<Result<void>(Error)>& fault);

// Which object of a chain a name stands for; nullopt: none.
enum class ControlObject : std::uint8_t { kEntry = 1, kSnapshot = 2 };
struct ControlName {
  std::string chain;  // "kms"
  ControlObject kind;
  std::uint64_t number;
};
std::optional<ControlName> parse_control_name(std::string_view name);

// The sum of a chain's mark, over the sums of its snapshot and of the entries after it.
std::string chain_sum(std::optional<std::uint32_t> snapshot, const std::vector<std::uint32_t>& entries);
// An object's own sum, which its head has; the head is enough.
std::uint32_t object_sum(ByteView object);

// An object's bytes: docs/format.md, "Control log". Without a folder in `origin` they are those of version 1.
Bytes frame_control_object(ControlObject kind, std::uint64_t number, std::string_view content,
                           const store::Origin& origin = {});
struct ControlContent {
  std::string content;
  store::Origin origin;
};
// errors   kCorrupt: text says what is wrong, without the object's name
Result<ControlContent> unframe_control_object(ControlObject kind, std::uint64_t number, ByteView bytes);

}  // namespace millrace::cluster
