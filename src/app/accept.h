// app/accept.h: `millrace accept DIR`: goes on without what a data folder lacks, because a person says so.
#pragma once

#include "app/command_line.h"

namespace millrace::app {

// Says what would be given up, and with --give-up gives it up: the parts as they are belong together from
// then on, and the next start writes to its log what it goes on without. What is damaged, of another folder,
// or contradicts another part cannot be given up. Returns the exit code.
int accept(const Accept& command);

}  // namespace millrace::app
