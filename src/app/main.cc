// The command line: millrace serve | verify | accept | put | health | backup | restore | admin | log |
// version.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <variant>

#include "app/accept.h"
#include "app/admin.h"
#include "app/backup.h"
#include "app/command_line.h"
#include "app/dump_data.h"
#include "app/exit_code.h"
#include "app/health.h"
#include "app/inspect_log.h"
#include "app/put_lines.h"
#include "app/serve.h"
#include "app/signals.h"
#include "app/verify.h"

namespace {

struct Run {
  int operator()(const millrace::app::Serve& command) const { return millrace::app::serve(command); }
  int operator()(const millrace::app::InspectLog& command) const {
    return millrace::app::inspect_log(command);
  }
  int operator()(const millrace::app::DumpData& command) const { return millrace::app::dump_data(command); }
  int operator()(const millrace::app::SkipBlock& command) const { return millrace::app::skip_block(command); }
  int operator()(const millrace::app::Accept& command) const { return millrace::app::accept(command); }
  int operator()(const millrace::app::Verify& command) const { return millrace::app::verify(command); }
  int operator()(const millrace::app::AdminCall& command) const { return millrace::app::run_admin(command); }
  int operator()(const millrace::app::BackupCall& call) const { return millrace::app::run_backup(call); }
  int operator()(const millrace::app::RestoreCall& call) const { return millrace::app::run_restore(call); }
  int operator()(const millrace::app::PutLines& command) const { return millrace::app::put_lines(command); }
  int operator()(const millrace::app::HealthCall& call) const { return millrace::app::run_health(call); }
  int operator()(const millrace::app::Print& command) const {
    return std::fputs(command.text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
  }
};

// What these commands print is what was asked for: where it does not fit, that is no success.
int end_output(const millrace::app::Command& command, int code) {
  namespace app = millrace::app;
  const bool does_something_else = std::holds_alternative<app::Serve>(command) ||
                                   std::holds_alternative<app::BackupCall>(command) ||
                                   std::holds_alternative<app::RestoreCall>(command);
  if (does_something_else || (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)) return code;
  std::fprintf(stderr, "millrace: standard output cannot be written\n");
  return code == 0 ? app::kFailed : code;
}

}  // namespace

int main(int count, char** arguments) {
  millrace::app::outlive_file_size_limit();
  auto command = millrace::app::parse_command_line(count, arguments);
  if (!command.ok()) {
    std::fprintf(stderr, "millrace: %s\n", command.error().text.c_str());
    return millrace::app::kBadUsage;
  }
  const int code = std::visit(Run{}, *command);
  return end_output(*command, code);
}
