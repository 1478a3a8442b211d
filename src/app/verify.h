// app/verify.h: `millrace verify DIR`: reads the whole data folder and says all that is wrong with it.
#pragma once

#include "app/command_line.h"

namespace millrace::app {

// Changes nothing. Returns the exit code: 0 nothing is wrong; 1 something is, or a server is using the
// folder: standard output or standard error says what.
int verify(const Verify& command);

}  // namespace millrace::app
