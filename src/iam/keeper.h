// iam/keeper.h: the identities, durable: a change is in the ledger before anybody sees it.
#pragma once

#include <memory>
#include <string>

#include "base/loop.h"
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
};

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
  // errors   as identity::apply_change, and cluster::Ledger::append
  Task<Result<void>> change(identity::IdentityChange change, Loop& home);

 private:
  Keeper(KeeperOptions options, Loop& loop, std::shared_ptr<cluster::Ledger> ledger,
         std::shared_ptr<const identity::Identities> identities,
         std::shared_ptr<const identity::Directory> directory);
  Task<Result<void>> change_here(identity::IdentityChange change);

  KeeperOptions options_;
  identity::Seal seal_;
  Loop& loop_;
  std::shared_ptr<cluster::Ledger> ledger_;
  Published<identity::Identities> identities_;
  Published<identity::Directory> directory_;
  Published<identity::QuotaTable> quotas_;
};

}  // namespace millrace::iam
