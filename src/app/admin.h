// app/admin.h: `millrace admin`: users, keys, policies, roles and quotas of a server that runs.
// docs/identity.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace millrace::app {

// What to ask of which server.
struct AdminCall {
  std::string endpoint = "http://127.0.0.1:4566";
  std::string region = "us-east-1";
  std::string certificates;  // PEM file of authorities that are trusted too; empty: the system's alone
  std::string operation;     // "AddUser"
  std::map<std::string, std::string> fields;
  std::map<std::string, std::uint64_t> numbers;
  std::map<std::string, std::string> files;  // fields whose text is in a file; "-" is stdin
  bool prints_document = false;              // of the answer only the policy itself
};

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
