// cluster/chain_copy.h: the objects of a control log, carried from one data folder to another, for backups.
// Calls block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/disk.h"
#include "store/object_store.h"

namespace millrace::cluster {

// Copies the state that the chain has now: its newest snapshot and the entries behind it. A server may go on
// writing the chain meanwhile.
//   from    the disk below whose folder "control" the chain is
//   prefix  of the chain's objects, ends in '/': "leases/"
//   to      the object store that is "control" of the copy, without such a chain
//   errors  kCorrupt      an object is damaged or missing; names it
//           kUnavailable  a disk said no
Result<void> copy_chain(store::Disk& from, const std::string& prefix, store::ObjectStore& to);

// Begins a chain with `state`, which holds the effect of all entries up to `entry`.
Result<void> begin_chain(store::ObjectStore& to, const std::string& prefix, std::uint64_t entry,
                         std::string_view state);

}  // namespace millrace::cluster
