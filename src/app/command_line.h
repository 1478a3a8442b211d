// app/command_line.h: what the process was asked to do: command line over environment over config file.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "app/admin.h"
#include "app/backup.h"
#include "app/dump_data.h"
#include "app/health.h"
#include "app/put_lines.h"
#include "app/settings.h"
#include "base/result.h"

namespace millrace::app {

struct Serve {
  Settings settings;
  std::vector<std::string> warnings;  // for the log, once there is one
};
struct InspectLog {
  std::string folder;
};
struct SkipBlock {
  std::string folder;
  std::string file;  // a segment's path or name
  std::uint64_t position;
};
struct Verify {
  std::string folder;
  std::string keyring;  // empty: "keyring" in `folder`
};
struct Accept {
  std::string folder;
  std::string keyring;  // as in Verify
  bool give_up = false;
};
// Text that was asked for (--help, version): print it on stdout and exit 0.
struct Print {
  std::string text;
};
using Command = std::variant<Serve, InspectLog, Verify, Accept, DumpData, SkipBlock, AdminCall, BackupCall,
                             RestoreCall, PutLines, HealthCall, Print>;

// Reads the environment and the config file that they name. errors   kInvalid: bad usage, one line for people
Result<Command> parse_command_line(int count, const char* const* arguments);

}  // namespace millrace::app
