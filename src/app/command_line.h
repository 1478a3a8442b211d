// app/command_line.h: what the process was asked to do: command line over environment over config file.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "app/admin.h"
#include "app/settings.h"
#include "base/result.h"

namespace millrace::app {

struct Serve {
  Settings settings;
  std::vector<std::string> warnings;  // for the log, once there is one
};
struct InspectLog {
  enum class What { kVerify, kDump } what;
  std::string folder;
};
// Text that was asked for (--help, version): print it on stdout and exit 0.
struct Print {
  std::string text;
};
using Command = std::variant<Serve, InspectLog, AdminCall, Print>;

// Reads the environment and the config file that they name. errors   kInvalid: bad usage, one line for people
Result<Command> parse_command_line(int count, const char* const* arguments);

}  // namespace millrace::app
