// app/admin.h: `millrace admin`: users, keys, policies, roles and quotas of a server that runs.
// docs/identity.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/server_address.h"

namespace CLI {
class App;
}

namespace millrace::app {

// What to ask of which server.
struct AdminCall {
  ServerAddress server;
  std::string operation;  // "AddUser"
  std::map<std::string, std::string> fields;
  std::map<std::string, std::uint64_t> numbers;
  std::map<std::string, std::string> files;  // fields whose text is in a file; "-" is stdin
  bool prints_document = false;              // of the answer only the policy itself
};

// Which server a command asks: --endpoint, --region, --ca.
void add_server_options(CLI::App& command, ServerAddress& server);

// The command's part of the command line.
class AdminUsage {
 public:
  explicit AdminUsage(CLI::App& app);
  ~AdminUsage();

  // The deepest command that was given; nullptr: not `admin` at all.
  const CLI::App* parsed() const;
  // After a parse; nullopt: a command is missing. parsed() has the help that tells which.
  std::optional<AdminCall> call() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Asks and prints the answer. Returns the exit code: 0; 1: refused, or no answer, and a line on stderr says
// why; 2: no credentials in the environment, or a file that cannot be read.
int run_admin(const AdminCall& call);

}  // namespace millrace::app
