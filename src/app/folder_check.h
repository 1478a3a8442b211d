// app/folder_check.h: whether the parts of a data folder belong together: docs/decisions/0015. A start asks
// before it changes anything, and `millrace verify` asks the same and goes on after each fault.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "broker/catalog.h"
#include "cluster/control_log.h"
#include "log/journal_groups.h"
#include "store/disk.h"
#include "store/folder_file.h"

namespace millrace::app {

// Takes a fault: one line that names the part and what is wrong with it. An error that it answers ends the
// check.
using OnFault = std::function<Result<void>(Error)>;

struct FolderState {
  // FOLDER's; where there is none, of a folder that is new or of an earlier version, with a number that is
  // new.
  store::FolderRecord record;
  bool has_record = false;
  broker::Catalog catalog;
  bool has_catalog = false;                      // its chain is whole
  std::map<std::string, cluster::Chain> chains;  // by name, without their contents
  // What the parts themselves say: whose they are, and the greatest start that wrote one.
  std::set<std::uint64_t> folders;
  std::uint64_t newest_start = 0;
};

inline constexpr std::string_view kControlFolder = "control";

// kAll: the tables are made of their chain, too, which a start does later.
enum class CheckDepth : std::uint8_t { kStart, kAll };

// Reads FOLDER, the control chains, secrets, keyring and the manifest, and changes nothing. Blocks.
// keyring   path of the keyring
// random    makes the number of a folder that has none
// record    taken for FOLDER's; nullptr: the file is read
// errors    what `fault` answers.  kUnavailable
Result<FolderState> check_folder(store::Disk& disk, const std::string& keyring, Random& random,
                                 CheckDepth depth, const OnFault& fault,
                                 const store::FolderRecord* record = nullptr);

// What a folder without FOLDER has: a record that its parts, as they are, reach. For a folder that is put
// together of the parts of one. errors   kCorrupt: its parts are of several folders.  kUnavailable
Result<store::FolderRecord> record_of_parts(store::Disk& disk, const std::string& keyring, Random& random);

// Whether the journals reach what was noted of them, and have the group that was.
// journals   each loop's
// errors   what `fault` answers
Result<void> check_journal_ends(const store::Disk& disk, const store::FolderRecord& record,
                                const std::vector<log::JournalGroups>& journals, const OnFault& fault);

// A fault, as a start is refused with it: what is wrong, and the ways out.
Error refusal(Error fault);

}  // namespace millrace::app
