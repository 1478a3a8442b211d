// iam/keeper.h: the identities, durable: a change is in the ledger before anybody sees it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/memory_share.h"
#include "base/published.h"
#include "base/result.h"
#include "base/task.h"
#include "cluster/ledger.h"
#include "identity/directory.h"
#include "identity/identities.h"
#include "identity/quota_meter.h"
#include "identity/seal.h"
#include "store/object_store.h"

namespace millrace::iam {

struct KeeperOptions {
  std::string account;
  identity::RootKey root;
  identity::SealKey key{};  // seals the secrets at rest; the same after a restart
  // Of all identities together; what would make them more is refused.
  std::shared_ptr<MemoryShare> memory = std::make_shared<MemoryShare>("identities", std::uint64_t{64} << 20);
};

// The identities that a chain makes: its newest snapshot and the entries after it.
// errors   kCorrupt
Result<identity::Identities> replay_identities(const std::optional<std::string>& snapshot,
                                               const std::vector<std::string>& entries);
// What opens the secret keys of users at rest.
identity::Seal seal_at_rest(const identity::SealKey& key);

// Any loop may ask and change; changes are made one at a time, on the keeper's loop.
class Keeper {
 public:
  // Reads what is below "identity/" of `store`; blocks; before the loops carry other work. store and loop are
  // borrowed, and outlive it.  errors   kCorrupt, kUnavailable
  static Result<std::unique_ptr<Keeper>> open(store::ObjectStore& store, Loop& loop,
                                              std::unique_ptr<Worker> worker, KeeperOptions options);

  // What requests are checked against.
  const Published<identity::Directory>& directory() const { return directory_; }
  const Published<identity::Identities>& identities() const { return identities_; }
  // What counts how much they take.
  const Published<identity::QuotaTable>& quotas() const { return quotas_; }
  const identity::Seal& seal() const { return seal_; }

  // Resumes on `home`, the caller's loop, when the change is durable and every loop's next request meets it.
  // errors   as identity::apply_change, and cluster::Ledger::append; kLimit too where there is no more memory
  Task<Result<void>> change(identity::IdentityChange change, Loop& home);
  // Gives up what is written beside changes. On the keeper's loop, when no change is made any more.
  Task<void> close() { return ledger_->end_snapshot(); }

 private:
  Keeper(KeeperOptions options, Loop& loop, std::shared_ptr<cluster::Ledger> ledger,
         std::shared_ptr<const identity::Identities> identities,
         std::shared_ptr<const identity::Directory> directory);
  Task<Result<void>> change_here(identity::IdentityChange change);
  Task<void> apply_held(std::string entry);
  struct Next;
  // errors   kLimit, too, where `bounded` and the identities would have more memory than they may
  Result<Next> next(const identity::IdentityChange& change, const identity::Identities& identities,
                    const identity::Directory& directory, const identity::QuotaTable& quotas,
                    bool bounded) const;
  void publish(const Next& next);

  KeeperOptions options_;
  identity::Seal seal_;
  Loop& loop_;
  std::shared_ptr<cluster::Ledger> ledger_;
  Published<identity::Identities> identities_;
  Published<identity::Directory> directory_;
  Published<identity::QuotaTable> quotas_;
  std::uint64_t bytes_ = 0;  // of memory, in the share
  // Pictures that loops may still hold. They go on the ledger's worker: to take one apart is much for a loop.
  std::vector<std::shared_ptr<const void>> replaced_;
};

}  // namespace millrace::iam
