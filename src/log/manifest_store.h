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

namespace millrace::log {

class ManifestStore {
 public:
  // Loads the newest manifest below log/manifest of `disk` (borrowed); nullopt in an empty folder.
  // errors   kCorrupt: the newest is damaged; an older one is never taken for it.  kUnavailable
  static Result<std::unique_ptr<ManifestStore>> open(store::Disk& disk);

  // False only before the first edit of a new log.
  bool exists() const { return number_ != 0; }
  Manifest current() const;

  // Applies `change` and makes the outcome durable as the next manifest; removes those before the last.
  // errors   kUnavailable: nothing changed.
  //          kUnknown: current() has the change, the disk may have it: call confirm() until it answers.
  Result<void> edit(const std::function<void(Manifest&)>& change);
  // Makes current() durable under a new number.
  Result<void> confirm();

 private:
  ManifestStore() = default;
  Result<void> put(const Manifest& manifest);

  mutable std::mutex mutex_;
  std::unique_ptr<store::ObjectStore> store_;
  std::uint64_t number_ = 0;
  bool unconfirmed_ = false;
  Manifest current_;
};

std::string manifest_name(std::uint64_t number);
std::optional<std::uint64_t> manifest_number(std::string_view name);

}  // namespace millrace::log
