// app/identity.h: who calls and what they may do, from its files to its front doors.
#pragma once

#include <memory>
#include <vector>

#include "app/audit_log.h"
#include "app/memory.h"
#include "app/settings.h"
#include "base/result.h"
#include "iam/admin.h"
#include "iam/keeper.h"
#include "identity/authorizer.h"
#include "identity/session.h"
#include "identity/sigv4.h"
#include "net/http.h"
#include "net/loop_group.h"
#include "store/disk.h"
#include "store/object_store.h"
#include "store/origin.h"
#include "sts/front_door.h"

namespace millrace::app {

class Identity {
 public:
  struct Ground {  // borrowed; outlives it
    const Settings& settings;
    store::Disk& disk;
    store::ObjectStore& store;
    store::PartMarks& marks;
    net::LoopGroup& loops;
    const Memory& memory;
  };
  // Blocks; before the loops carry other work. errors   as iam::Keeper::open, and of the audit log's file
  static Result<std::unique_ptr<Identity>> open(const Ground& ground);

  const identity::Verifier& verifier() const { return *verifier_; }
  const identity::Authorizer& authorizer() const { return *authorizer_; }
  const Published<identity::QuotaTable>& quotas() const { return keeper_->quotas(); }
  std::shared_ptr<const identity::Identities> identities() const { return keeper_->identities().here(); }
  net::Handler& admin() { return admin_; }
  net::Handler& sts() { return sts_; }
  AuditLog* audit_log() { return audit_log_.get(); }  // nullptr: there is none

  // Of a loop beside those of the ground that asks the authorizer too: the audit log hears of it as of the
  // others. Before it carries work; it runs until close() has returned.
  void report_on(Loop& loop);

  // Writes what the audit log has summed up. Blocks; not from a loop, while the loops run.
  void close();

 private:
  explicit Identity(net::LoopGroup& loops) : loops_(loops) {}
  void report_later(Loop& loop);
  void report_all(Loop& loop);

  net::LoopGroup& loops_;
  std::vector<Loop*> more_loops_;
  std::unique_ptr<AuditLog> audit_log_;
  std::unique_ptr<iam::Keeper> keeper_;
  std::unique_ptr<identity::Sessions> sessions_;
  std::unique_ptr<identity::Verifier> verifier_;
  std::unique_ptr<identity::Authorizer> authorizer_;
  std::unique_ptr<iam::Admin> admin_door_;
  std::unique_ptr<sts::FrontDoor> sts_door_;
  net::Handler admin_, sts_;
};

}  // namespace millrace::app
