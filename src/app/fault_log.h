// app/fault_log.h: faults that a client met, in the server's log under the id that the client was told.
#pragma once

#include <string>

#include "base/result.h"

namespace millrace::app {

// Writes {"msg":"a request failed","id":…,"error":…} and returns the id, 16 hexadecimal digits. The same text
// again within a minute has the same id and no line of its own, so that a full disk does not fill the log.
// Any thread.
std::string log_fault(const Error& fault);

}  // namespace millrace::app
