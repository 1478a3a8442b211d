// app/backup_door.h: what `millrace backup` asks of a server that runs: POST /admin/LocateData, BeginBackup,
// KeepBackup and EndBackup, as the other operations of admin, allowed to root and to whom policies allow
// millrace:Backup.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/task.h"
#include "broker/broker.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "net/http.h"

namespace millrace::app {

class BackupDoor {
 public:
  struct Ground {  // all borrowed; outlives it
    broker::Broker& broker;
    const identity::Verifier& verifier;
    const identity::Authorizer& authorizer;
    const Clock& clock;
    Random& random;
    Loop& home;
    std::string data;     // path of the data folder
    std::string keyring;  // path, where it is not in the data folder
  };
  explicit BackupDoor(Ground ground) : ground_(std::move(ground)) {}

  static bool takes(const net::Request& request);
  // Answers as iam::Admin does. The connection's loop.
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

 private:
  struct Answer {
    int status;
    std::string json;
  };
  struct Held {
    std::shared_ptr<const void> hold;
    std::int64_t until_ns;
  };
  static Task<void> run(BackupDoor& door, std::unique_ptr<net::Request> request, net::Responder responder);
  Result<std::string> admit(const net::Request& request) const;
  Task<Answer> begin();
  Answer keep(const std::string& id);
  void let_go_later(const std::string& id);

  Ground ground_;
  std::map<std::string, Held> held_;  // on the home loop
};

}  // namespace millrace::app
