#include "app/identity.h"

#include <algorithm>
#include <future>
#include <utility>

#include "app/secret_file.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kReportEveryNs = 5'000'000'000;

}  // namespace

Result<std::unique_ptr<Identity>> Identity::open(const Ground& ground) {
  const Settings& settings = ground.settings;
  std::unique_ptr<Identity> made(new Identity(ground.loops));
  iam::KeeperOptions options{.account = settings.account_id,
                             .root = {settings.root_access_key, settings.root_secret_key},
                             .memory = ground.memory.identities};
  MR_ASSIGN(const Bytes key,
            load_or_make_secret(ground.disk, kIdentitiesSecret, system_random(), ground.marks));
  static_assert(sizeof options.key == kSecretFileBytes);
  std::copy(key.view().begin(), key.view().end(), options.key.begin());
  made->sessions_ = std::make_unique<identity::Sessions>(options.key);
  MR_ASSIGN(made->keeper_,
            iam::Keeper::open(ground.store, ground.loops.loop(0), store::start_thread_worker("identities", 0),
                              std::move(options)));
  MR_ASSIGN(made->audit_log_, AuditLog::open(settings.audit_log));
  const Memory& memory = ground.memory;
  made->verifier_ = std::make_unique<identity::Verifier>(made->keeper_->directory(), *made->sessions_,
                                                         settings.region, memory.sessions);
  made->authorizer_ = std::make_unique<identity::Authorizer>(
      settings.region, made->audit_log_.get(),
      identity::AuthorizerMemory{
          .policies = memory.policies, .decisions = memory.decisions, .audit = memory.audit},
      settings.takes_unknown_keys);
  made->authorizer_->names_from(made->keeper_->directory());
  made->admin_door_ = std::make_unique<iam::Admin>(*made->keeper_, *made->verifier_, *made->authorizer_,
                                                   system_clock(), system_random(), settings.account_id);
  made->sts_door_ =
      std::make_unique<sts::FrontDoor>(made->keeper_->directory(), *made->sessions_, *made->verifier_,
                                       *made->authorizer_, system_clock(), system_random());
  made->admin_ = [door = made->admin_door_.get()](std::unique_ptr<net::Request> request,
                                                  net::Responder responder) {
    door->handle(std::move(request), std::move(responder));
  };
  made->sts_ = [door = made->sts_door_.get()](std::unique_ptr<net::Request> request,
                                              net::Responder responder) {
    door->handle(std::move(request), std::move(responder));
  };
  for (std::size_t index = 0; index < ground.loops.size(); ++index)
    made->report_later(ground.loops.loop(index));
  return made;
}

void Identity::report_later(Loop& loop) {
  loop.post_after(kReportEveryNs, [this, &loop] {
    authorizer_->report(system_clock().wall_ms(), false);
    report_later(loop);
  });
}

void Identity::report_on(Loop& loop) {
  more_loops_.push_back(&loop);
  report_later(loop);
}

void Identity::report_all(Loop& loop) {
  std::promise<void> done;
  loop.post([this, &done] {
    authorizer_->report(system_clock().wall_ms(), true);
    done.set_value();
  });
  done.get_future().wait();
}

void Identity::close() {
  for (std::size_t index = 0; index < loops_.size(); ++index) report_all(loops_.loop(index));
  for (Loop* loop : more_loops_) report_all(*loop);
  std::promise<void> closed;
  loops_.loop(0).post([this, &closed] { spawn(keeper_->close(), [&closed] { closed.set_value(); }); });
  closed.get_future().wait();
}

}  // namespace millrace::app
