// app/backup.h: `millrace backup` of a server that runs, and `millrace restore`. docs/backup.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/server_address.h"

namespace CLI {
class App;
}

namespace millrace::app {

struct BackupCall {
  ServerAddress server;
  std::string folder;
  std::uint64_t keep = 7;
  std::string bytes_per_s = "8MiB";
};

struct RestoreCall {
  std::string folder;
  std::string data;
  std::optional<std::uint64_t> number;
  std::string keyring;       // empty: "keyring" in the backup
  bool with_losses = false;  // what the backup lacks is lacking in the data folder, too
};

// Both return the exit code: 0; 1: it did not happen, or what was backed up has damaged blocks, and lines on
// stderr say what; 2: bad usage.
int run_backup(const BackupCall& call);
// In restore.cc.
int run_restore(const RestoreCall& call);

}  // namespace millrace::app
