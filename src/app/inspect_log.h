// app/inspect_log.h: `millrace log verify DIR` and `millrace log dump DIR`.
#pragma once

#include "app/command_line.h"

namespace millrace::app {

// Returns the exit code: 0 nothing is wrong; 1 something is, and standard output says what and where.
int inspect_log(const InspectLog& command);

}  // namespace millrace::app
