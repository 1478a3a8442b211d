// log/manifest_store.h: the newest manifest, at rest and in memory. Calls block; any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "log/manifest.h"
#include "store/disk.h"
#include "store/object_store.h"
#include "store/origin.h"

namespace millrace::log {

class ManifestStore {
 public:
  // Loads the newest manifest below log/manifest of `disk` (borrowed), and changes nothing.
  // errors   as read_newest_manifest
  static Result<std::unique_ptr<ManifestStore>> open(store::Disk& disk);
  // Before the first edit: makes the folder where there is none, and clears what a crash left in it.
  // origin   goes into the manifests to come; without a folder they keep the one that they have
  // marks    told of each; nullptr: nobody is
  // errors   the disk's
  Result<void> begin(store::Origin origin, store::PartMarks* marks);

  // False only before the first edit of a new log.
  bool exists() const { return number_ != 0; }
  // Of the newest.
  store::PartMark mark() const;
  Manifest current() const;

  // Applies `change` and makes the outcome durable as the next manifest; removes those before the last.
  // errors   kUnavailable: nothing changed.
  //          kUnknown: current() has the change, the disk may have it: call confirm() until it answers.
  Result<void> edit(const std::function<void(Manifest&)>& change);
  // Makes current() durable under a new number.
  Result<void> confirm();

 private:
  explicit ManifestStore(store::Disk& disk) : disk_(disk) {}
  Result<void> put(const Manifest& manifest);

  mutable std::mutex mutex_;
  store::Disk& disk_;
  std::unique_ptr<store::ObjectStore> store_;  // from begin() on
  store::Origin origin_;
  store::PartMarks* marks_ = nullptr;
  std::uint64_t number_ = 0;
  store::PartMark mark_;
  bool unconfirmed_ = false;
  Manifest current_;
};

// Its part of the folder, in marks.
inline constexpr std::string_view kManifestPart = "log/manifest";
store::PartMark manifest_mark(std::uint64_t number, ByteView bytes);

struct NewestManifest {
  store::PartMark mark;  // number 0: there is none
  Manifest manifest;
};
// errors   kCorrupt: the newest is damaged; an older one is never taken for it.  kUnavailable
Result<NewestManifest> read_newest_manifest(store::Disk& disk);

std::string manifest_name(std::uint64_t number);
std::optional<std::uint64_t> manifest_number(std::string_view name);

}  // namespace millrace::log
