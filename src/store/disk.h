// store/disk.h: files and folders, as the log needs them; everything blocks. The real one is posix_disk.h,
// the one that tears, drops, reorders and fails is tests/sim/sim_disk.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace millrace::store {

// An open file. One thread at a time, except read_at, which any may call. Closed by the destructor.
class File {
 public:
  virtual ~File() = default;

  // Fills `out` from `offset`; returns the bytes read, fewer only at the end of the file.
  // errors   kUnavailable: the disk said no (EIO), text names file, offset and cause
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
  // Writes all of `pieces` from `offset`, growing the file if need be. Not durable before sync().
  // errors   kUnavailable: no space (ENOSPC, EDQUOT): what was there before may be partly overwritten.
  //          kUnknown: any other failure (EIO): the range holds any mix of old and new.
  virtual Result<void> write_at(std::uint64_t offset, std::span<const ByteView> pieces) = 0;
  // Makes what was written, and the file's size, durable (fdatasync).
  // errors   kUnknown: nothing written since the last sync() may be trusted to be there, or not to be. Also
  //          where the file, or its folder, was removed, renamed or replaced meanwhile
  virtual Result<void> sync() = 0;
  virtual Result<std::uint64_t> size() = 0;
  // errors   as write_at
  virtual Result<void> truncate(std::uint64_t size) = 0;
  // A hint: these bytes are to be read from the disk itself next time, not from the machine's memory of it.
  virtual void forget(std::uint64_t /*offset*/, std::uint64_t /*bytes*/) {}
};

// A folder of the machine and all below it. Paths are relative to it, with '/'. Any thread.
class Disk {
 public:
  virtual ~Disk() = default;

  enum class Mode : std::uint8_t { kRead, kWrite, kCreate };  // kCreate: kConflict when it exists
  // errors   kNotFound, kConflict, kUnavailable (no space, no rights, EIO)
  virtual Result<std::unique_ptr<File>> open(std::string_view path, Mode mode) = 0;
  // Names of the entries of a folder, sorted, without "." and "..". kNotFound where there is none.
  virtual Result<std::vector<std::string>> list(std::string_view folder) = 0;
  // Makes a folder and its parents; fine when it is there. Durable.
  virtual Result<void> make_folder(std::string_view folder) = 0;
  // Gives a file a new name in one step, over what stood there; durable only after sync_folder of both
  // folders.
  virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
  // As rename, but kConflict when `to` exists (put-if-absent rests on it).
  virtual Result<void> rename_new(std::string_view from, std::string_view to) = 0;
  // Fine when it is not there. Durable only after sync_folder.
  virtual Result<void> remove(std::string_view path) = 0;
  // Makes names made, changed and removed in a folder durable.
  // errors   kUnavailable: not tried (too many open files): trying again is enough.
  //          kUnknown: it failed: a later success does not speak for these names, which must be made again
  virtual Result<void> sync_folder(std::string_view folder) = 0;
  // Whether what is written here can be found again: every folder in use is where it was opened, and the file
  // system takes writes.
  // errors   kUnavailable: the text says what is wrong and where
  virtual Result<void> check_in_place() = 0;
  // Bytes that may still be written, as far as the disk knows.
  virtual Result<std::uint64_t> free_bytes() = 0;
  // Where it is, for messages: "/var/lib/millrace".
  virtual std::string describe(std::string_view path) const = 0;
};

}  // namespace millrace::store
