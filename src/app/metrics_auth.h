// app/metrics_auth.h: who may read /metrics: whoever brings the token of --metrics-auth, as Prometheus does
// with `authorization: credentials_file`.
#pragma once

#include <memory>
#include <string>

#include "base/published.h"
#include "base/result.h"
#include "net/http.h"

namespace millrace::app {

class MetricsAuth {
 public:
  // file   with the token; empty: anybody may read. Nobody may until reload() has succeeded once.
  explicit MetricsAuth(std::string file) : file_(std::move(file)) {}

  // Reads the file. Any thread, one at a time; on an error the token stays what it was.
  // errors   kInvalid: it cannot be read, or its token does not fit
  Result<void> reload();
  // Any thread.
  bool passes(const net::Request& request) const;

 private:
  const std::string file_;
  Published<std::string> token_{std::make_shared<const std::string>()};
};

// 401, and how to ask.
net::Response metrics_refusal();

}  // namespace millrace::app
