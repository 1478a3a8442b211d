// app/inspect_log.h: `millrace log dump DIR` and `millrace log skip DIR FILE OFFSET`.
#pragma once

#include "app/command_line.h"

namespace millrace::app {

// Returns the exit code: 0 nothing is wrong; 1 something is, and standard output says what and where.
int inspect_log(const InspectLog& command);
// 0: the block is given up; 1: it is not, and a line on standard error says why.
int skip_block(const SkipBlock& command);

}  // namespace millrace::app
