// kinesis/dry_run.h: requests that only ask whether they would succeed.
#pragma once

#include <optional>

#include "kinesis/protocol.h"

namespace millrace::kinesis {

// The answer to a request with DryRun that would have succeeded: to be given where its checks end and its
// work begins. source: Kinesis developer guide, "Test your permissions and request inputs with dry run"
inline ApiError would_succeed() {
  return {"DryRunOperationException", "Request would have succeeded, but DryRun flag is set."};
}

template <typename Request>
constexpr Field dry_run() {
  return field<Request, &Request::dry_run>("DryRun");
}

}  // namespace millrace::kinesis
