// kinesis/fan_out/lasting_access.h: whether a caller who was allowed to subscribe still is: users, keys,
// policies and what conditions ask about may change while events flow.
#pragma once

#include <string>

#include "kinesis/access.h"
#include "kinesis/call.h"
#include "kinesis/consumer_ref.h"
#include "net/http.h"

namespace millrace::kinesis {

class LastingAccess {
 public:
  // Of a call that was allowed, of which it copies what policies may ask; it borrows what the call borrows of
  // the front door, which outlives it.
  explicit LastingAccess(const Call& call);
  LastingAccess(const LastingAccess&) = delete;

  // Asks all that the call was asked, of the caller as identities are now. nullopt: still allowed.
  // place    of the consumer
  // errors   AccessDeniedException, KMSAccessDeniedException
  // thread   the connection's loop
  Outcome ask(const ConsumerPlace& place);

 private:
  // The call's, as far as policies' conditions ask of it.
  net::Request request_;
  std::string user_agent_, referer_;  // what its headers point into
  identity::Caller caller_;

  broker::Broker& broker_;
  const Clock& clock_;
  const FrontDoorOptions& options_;
  LoopState& loop_;
  FanOut& fan_out_;
  const identity::Verifier& verifier_;
  const identity::Authorizer& authorizer_;
  Encoding encoding_;
  std::string_view action_;
};

}  // namespace millrace::kinesis
