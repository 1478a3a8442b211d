// app/serve.h: a server from its first file to its last answer.
#pragma once

#include "app/command_line.h"

namespace millrace::app {

// Serves until SIGTERM or SIGINT and then drains; a second one ends the process at once. Main thread, before
// any other. Returns the exit code: 0 drained; 1 could not start or not stop in order, and the log says why;
// 2 bad usage.
int serve(const Serve& command);

}  // namespace millrace::app
