// api/fault.h: what a client is told of a fault of the server: no file and no system error, but the id under
// which the server's log has all of it.
#pragma once

#include <string>

#include "base/result.h"

namespace millrace::api {

// Writes a fault to the server's log and returns the id that it has there. Called on any thread.
using FaultLog = std::string (*)(const Error& fault);

// From now on faults go to `log`; until then they are dropped and have no id. Any thread.
void log_faults_with(FaultLog log);

// Whether an error of this kind speaks of the server (its files, its disk, its other services) and not of the
// request.
bool is_fault(ErrorKind kind);

// Logs `fault`, and returns what its client is told in place of its text: where the log has it.
std::string fault_text(const Error& fault);

// fault_text() of a fault; of every other error its own text, which is for the client.
std::string text_for_client(const Error& error);

}  // namespace millrace::api
