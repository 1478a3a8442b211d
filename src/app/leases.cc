#include "app/leases.h"

#include <future>
#include <utility>

#include "cluster/ledger.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

constexpr std::string_view kPrefix = "leases/";

leases::dynamodb::TableStoreOptions table_options(const Memory& memory) {
  leases::dynamodb::TableStoreOptions options;
  options.memory = memory.tables;
  return options;
}

}  // namespace

Leases::~Leases() { tables_loop_.stop(); }

Result<std::unique_ptr<Leases>> Leases::open(const Ground& ground) {
  std::unique_ptr<Leases> leases(new Leases);
  Loop& home = leases->tables_loop_.loop(0);
  MR_ASSIGN(auto ledger, cluster::Ledger::open(ground.store, std::string(kPrefix), home,
                                               store::start_thread_worker("leases", 0)));
  MR_ASSIGN(leases->tables_, leases::dynamodb::TableStore::open(std::move(ledger), home, ground.clock,
                                                                table_options(ground.memory)));
  leases->dynamodb_door_ = std::make_unique<leases::dynamodb::FrontDoor>(
      leases->tables_, ground.verifier, ground.authorizer, system_clock(), system_random(),
      leases::dynamodb::FrontDoorOptions{.account_id = ground.settings.account_id,
                                         .region = ground.settings.region,
                                         .requests = ground.memory.requests});
  leases->dynamodb_ = [door = leases->dynamodb_door_.get()](std::unique_ptr<net::Request> request,
                                                            net::Responder responder) {
    door->handle(std::move(request), std::move(responder));
  };
  leases->cloudwatch_door_ = std::make_unique<leases::cloudwatch::FrontDoor>(
      ground.loops.loop(0), ground.verifier, ground.authorizer, system_clock(), system_random(),
      ground.memory.metrics, ground.memory.requests);
  leases->cloudwatch_ = [door = leases->cloudwatch_door_.get()](std::unique_ptr<net::Request> request,
                                                                net::Responder responder) {
    door->handle(std::move(request), std::move(responder));
  };
  home.post([tables = leases->tables_] { tables->start(); });
  return leases;
}

void Leases::close() {
  std::promise<void> closed;
  tables_->loop().post([this, &closed] { spawn(tables_->close(), [&closed] { closed.set_value(); }); });
  closed.get_future().wait();
}

}  // namespace millrace::app
