// store/folder_file.h: the file FOLDER: what the parts of a data folder must reach to belong together. Bytes:
// docs/format.md, "Folder". Calls block; one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "store/disk.h"
#include "store/origin.h"

namespace millrace::store {

// Of the format that is written: docs/format.md.
inline constexpr std::uint16_t kFolderVersion = 1;

struct FolderRecord {
  Origin origin;  // start: how often the folder was started
  // Whose ARNs are in it: of streams, and under the encryption of records. Empty: not known, of an earlier
  // version.
  std::string account, region;
  std::map<std::string, PartMark> parts;
  // What a person decided to go on without, one line each, for the next start to write to its log.
  std::vector<std::string> given_up;
};

inline constexpr std::string_view kFolderFile = "FOLDER";
inline constexpr std::size_t kFolderSlotBytes = 32u << 10;

// One of the file's two slots, as far as it is used. number   of the write, from 1; it stands in slot `number
// mod 2` errors   kLimit: the record does not fit a slot
Result<Bytes> encode_folder_slot(const FolderRecord& record, std::uint64_t number);
struct FolderSlot {
  std::uint64_t number;
  FolderRecord record;
};
// errors   kCorrupt: says what is wrong
Result<FolderSlot> decode_folder_slot(ByteView slot);

// The newest record that is whole; nullopt where there is no such file.
// errors   kCorrupt: cut short, or neither slot is good.  kUnavailable
Result<std::optional<FolderRecord>> read_folder_record(Disk& disk);

class FolderFile {
 public:
  // Makes the file where there is none. `record` is its newest when it returns, durably.
  // errors   as the disk's
  static Result<std::unique_ptr<FolderFile>> open(Disk& disk, const FolderRecord& record);
  // Durable when it returns; a torn write leaves the record before.
  Result<void> write(const FolderRecord& record);

 private:
  FolderFile(std::unique_ptr<File> file, std::uint64_t number) : file_(std::move(file)), number_(number) {}

  std::unique_ptr<File> file_;
  std::uint64_t number_;  // of the last write
};

}  // namespace millrace::store
