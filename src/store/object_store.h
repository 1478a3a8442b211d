// store/object_store.h: named immutable objects: all that Millrace asks of a bucket, and of a directory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "store/disk.h"

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
  //          kUnknown: may be there: get it and compare.
  virtual Result<void> put_if_absent(std::string_view name, ByteView content) = 0;
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
  // Durably; fine when it is not there.
  virtual Result<void> remove(std::string_view name) = 0;
};

// Objects as files below `folder` of `disk` (borrowed; outlives the store). A put writes NAME.tmp-…, syncs,
// renames to NAME without overwriting, and syncs the folder; left-over .tmp- files are removed at open and
// never listed.
Result<std::unique_ptr<ObjectStore>> open_directory_store(Disk& disk, std::string_view folder);

}  // namespace millrace::store
