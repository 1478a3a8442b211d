// app/audit_log.h: where decisions about access are written: a JSON object a line. docs/operations.md, "Audit
// log"
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "identity/authorizer.h"

namespace millrace::app {

class AuditLog : public identity::AuditSink {
 public:
  // where    "stderr": among the server's log lines.  "off": nullptr.  Anything else: a file, appended to.
  // errors   kInvalid: the file cannot be opened; says why
  static Result<std::unique_ptr<AuditLog>> open(const std::string& where);

  // Opens the file anew, after it was moved away. Main thread. False: it cannot be; the old one goes on.
  virtual bool reopen() = 0;
};

}  // namespace millrace::app
