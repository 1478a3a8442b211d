// store/object_store.h: named immutable objects: all that Millrace asks of a bucket, and of a directory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/conditions.h"
#include "base/result.h"
#include "store/disk.h"
#include "store/origin.h"

namespace millrace::store {

// Calls block; any thread. Names are 1 to 512 bytes of [A-Za-z0-9._-] in parts of 1 to 200 bytes joined by
// '/'; no part is "." or "..", none holds ".tmp-", and no name is the folder of another ("a" and "a/b").
// Other names are kInvalid. What was got or listed is durable: it is there after a crash too, unless removed.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Creates the object as a whole, durably.
  // errors   kConflict: the name is taken, nothing changed.  kUnavailable: not created (no space, no answer
  // yet).
  //          kUnknown: may be there: confirm() it.
  virtual Result<void> put_if_absent(std::string_view name, ByteView content) = 0;

  // A large object, written piece by piece, so that it is never in memory as a whole and the disk has each
  // piece before the next one comes: what others wait for meanwhile waits for one piece at most. One that
  // goes before it is finished was never there. One thread at a time; must not outlive the store.
  class Writer {
   public:
    virtual ~Writer() = default;
    // Behind what was written.
    // errors   kUnavailable: nothing more can come of it
    virtual Result<void> append(ByteView piece) = 0;
    // Fills in the head, and creates the object. The last call.
    // errors   as put_if_absent
    virtual Result<void> finish(ByteView head) = 0;
  };
  // head_bytes   at the object's beginning, of what is known only at its end
  // errors       kConflict: the name is taken.  kUnavailable
  virtual Result<std::unique_ptr<Writer>> create(std::string_view name, std::size_t head_bytes) = 0;

  // Makes a put of this name and content that answered kUnknown (or kConflict, after one that did) hold: the
  // object is there, durably. A file whose data did not reach the disk has no name yet, so only names are in
  // question here: they are synced again where that was not tried, and made again where it failed.
  // errors   kUnavailable: not yet, try again.  kConflict: another object has the name
  virtual Result<void> confirm(std::string_view name, ByteView content) = 0;
  // errors   kNotFound, kUnavailable
  virtual Result<Bytes> get(std::string_view name) = 0;
  // `length` bytes from `offset`; kInvalid when they are not all there.
  virtual Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t length) = 0;
  struct Entry {
    std::string name;
    std::uint64_t bytes;
  };
  // All objects whose names begin with `prefix` (which ends in '/' or is empty), sorted by name.
  virtual Result<std::vector<Entry>> list(std::string_view prefix) = 0;
  // Durably; fine where they are not there. After a failure, and after a crash, some of them may be gone.
  virtual Result<void> remove(std::span<const std::string> names) = 0;
  Result<void> remove(std::string_view name) {
    const std::string only(name);
    return remove(std::span(&only, 1));
  }
  // Whose objects these are; goes into what is put.
  virtual Origin origin() const { return {}; }
};

// Objects as files below `folder` of `disk` (borrowed; outlives the store). A put writes NAME.tmp-…, syncs,
// renames to NAME without overwriting, and syncs the folder; left-over files NAME.tmp-NUMBER are removed at
// open and never listed.
// conditions   told while a put waits for confirm(); nullptr, or borrowed and outlives the store
Result<std::unique_ptr<ObjectStore>> open_directory_store(Disk& disk, std::string_view folder,
                                                          Conditions* conditions = nullptr);
// The same, as it is: changes nothing, and is for reading only.
std::unique_ptr<ObjectStore> view_directory_store(Disk& disk, std::string_view folder);

}  // namespace millrace::store
