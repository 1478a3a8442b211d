// sts/front_door.h: AWS STS over HTTP. Its operations change nothing that is kept: a session is all in its
// token.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/published.h"
#include "base/random.h"
#include "identity/authorizer.h"
#include "identity/directory.h"
#include "identity/session.h"
#include "identity/sigv4.h"
#include "net/http.h"

namespace millrace::sts {

class FrontDoor {
 public:
  // All borrowed; outlive it.
  FrontDoor(const Published<identity::Directory>& directory, const identity::Sessions& sessions,
            const identity::Verifier& verifier, const identity::Authorizer& authorizer, const Clock& clock,
            Random& random)
      : directory_(directory),
        sessions_(sessions),
        verifier_(verifier),
        authorizer_(authorizer),
        clock_(clock),
        random_(random) {}

  // Answers any request of the query protocol. The connection's loop; many at once.
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

 private:
  const Published<identity::Directory>& directory_;
  const identity::Sessions& sessions_;
  const identity::Verifier& verifier_;
  const identity::Authorizer& authorizer_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace millrace::sts
