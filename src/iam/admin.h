// iam/admin.h: the front door of `millrace admin`: POST /admin/OPERATION with JSON in and out, signed with
// SigV4 for the service "millrace". Allowed to root, and to whom policies allow the IAM action that fits:
// iam:CreateUser and so on, on the ARN of the user, role or policy; of quotas millrace:PutQuota and so on, on
// arn:aws:iam::ACCOUNT:quota/OWNER.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "iam/keeper.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "net/http.h"

namespace millrace::iam {

class Admin {
 public:
  // All borrowed; outlive it, and it outlives every request that it was given.
  Admin(Keeper& keeper, const identity::Verifier& verifier, const identity::Authorizer& authorizer,
        const Clock& clock, Random& random, std::string account)
      : keeper_(keeper),
        verifier_(verifier),
        authorizer_(authorizer),
        clock_(clock),
        random_(random),
        account_(std::move(account)),
        started_ms_(clock.wall_ms()) {}

  // Answers with an object, or {"error": TEXT} and 400, 403, 404, 409, 415, 500 or 503. The connection's
  // loop.
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

 private:
  friend class AdminCourse;

  Keeper& keeper_;
  const identity::Verifier& verifier_;
  const identity::Authorizer& authorizer_;
  const Clock& clock_;
  Random& random_;
  std::string account_;
  std::int64_t started_ms_;
};

}  // namespace millrace::iam
