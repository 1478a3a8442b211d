// The command line: millrace serve | admin | log | version.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <variant>

#include "app/admin.h"
#include "app/command_line.h"
#include "app/exit_code.h"
#include "app/inspect_log.h"
#include "app/serve.h"

namespace {

struct Run {
  int operator()(const millrace::app::Serve& command) const { return millrace::app::serve(command); }
  int operator()(const millrace::app::InspectLog& command) const {
    return millrace::app::inspect_log(command);
  }
  int operator()(const millrace::app::AdminCall& command) const { return millrace::app::run_admin(command); }
  int operator()(const millrace::app::Print& command) const {
    return std::fputs(command.text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
  }
};

}  // namespace

int main(int count, char** arguments) {
  auto command = millrace::app::parse_command_line(count, arguments);
  if (!command.ok()) {
    std::fprintf(stderr, "millrace: %s\n", command.error().text.c_str());
    return millrace::app::kBadUsage;
  }
  return std::visit(Run{}, *command);
}
