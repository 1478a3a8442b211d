// log/journal_file.h: one file of a loop's journal: written full of zeros once, then used again and again,
// each use with a generation and a salt of its own. Bytes: docs/format.md, "Journal file". Calls block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/frame.h"
#include "log/write_pace.h"
#include "store/disk.h"

namespace millrace::log {

inline constexpr std::size_t kJournalSlots =
    2;  // headers: uses take turns, so that a torn one leaves the one before
inline constexpr std::uint64_t kJournalFramesBegin = kJournalSlots * kBlockBytes;
inline constexpr std::uint64_t kTrustAll = std::numeric_limits<std::uint64_t>::max();

struct JournalUse {
  std::uint64_t generation = 0;  // 0: never used; rises from use to use of any file of the loop
  std::uint64_t salt = 0;
  // Groups in files of earlier generations count up to this sequence only: a later one failed, and is not
  // there even if its bytes are.
  std::uint64_t trusted_up_to = kTrustAll;
  std::uint64_t folder = 0;  // whose it is; 0: of a version that did not say
};

struct JournalFile {
  std::uint32_t loop;
  std::uint64_t number;
  std::uint64_t bytes;
  JournalUse use;
  std::string path;
  std::unique_ptr<store::File> file;
  bool write_failed = false;  // the writing thread's: never written again, whatever a later sync says
};

std::string journal_folder(std::uint32_t loop);
std::string journal_path(std::uint32_t loop, std::uint64_t number);
// The number in a file's name; nullopt when it is no journal file's.
std::optional<std::uint64_t> journal_number(std::string_view name);

// Writes a file of zeros, durably, at that pace; never seen under its name before it is whole.
// errors   kUnavailable: not there (no space: the text says so)
Result<std::shared_ptr<JournalFile>> create_journal_file(store::Disk& disk, WritePace& pace,
                                                         std::uint32_t loop, std::uint64_t number,
                                                         std::uint64_t bytes);
// Writes the header of a new use, durably. The generation's parity must differ from the last one's.
// errors   as File::write_at and File::sync; the file must not be used then
Result<void> begin_use(JournalFile& file, const JournalUse& use);
// Writes the header of the use that it is in once more, durably: the page cache may hold one that no disk
// has.
Result<void> write_use(JournalFile& file);
// Writes a mark at `offset`: group `sequence` is durable, and the last before it. Durable itself only after a
// sync.
Result<void> write_mark(JournalFile& file, std::uint64_t offset, std::uint64_t sequence, FrameKind kind);
// folder   whose it must be, where it says; 0: anybody's
// errors   kCorrupt: missing, of another length or folder, or with a damaged header; the text names it.
//          kUnavailable
Result<std::shared_ptr<JournalFile>> open_journal_file(store::Disk& disk, std::uint32_t loop,
                                                       std::uint64_t number, std::uint64_t bytes,
                                                       store::Disk::Mode mode, std::uint64_t folder = 0);

// What a file's headers say of it, whoever's it is: the use in which it was last, and nothing else is looked
// at. nullopt: they say nothing that can be read.
std::optional<JournalUse> read_last_use(store::Disk& disk, std::uint32_t loop, std::uint64_t number);

}  // namespace millrace::log
