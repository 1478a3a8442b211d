#include "kinesis/fan_out/lasting_access.h"

#include <utility>

#include "identity/sigv4.h"

namespace millrace::kinesis {

LastingAccess::LastingAccess(const Call& call)
    : user_agent_(call.request.header("user-agent")),
      referer_(call.request.header("referer")),
      caller_(call.caller),
      broker_(call.broker),
      clock_(call.clock),
      options_(call.options),
      loop_(call.loop),
      fan_out_(call.fan_out),
      verifier_(call.verifier),
      authorizer_(call.authorizer),
      encoding_(call.encoding),
      action_(call.action) {
  request_.tls = call.request.tls;
  request_.loop = call.request.loop;
  request_.peer_storage = call.request.peer;
  request_.peer = request_.peer_storage;
  if (call.request.header("user-agent").data() != nullptr)
    request_.headers.push_back({"user-agent", user_agent_});
  if (call.request.header("referer").data() != nullptr) request_.headers.push_back({"referer", referer_});
}

Outcome LastingAccess::ask(const ConsumerPlace& place) {
  caller_.principal = verifier_.still(std::move(caller_.principal), clock_.wall_ms());
  if (caller_.principal == nullptr)
    return ApiError{"AccessDeniedException", "The credentials of this subscription are valid no longer."};
  Call call{.broker = broker_,
            .clock = clock_,
            .options = options_,
            .loop = loop_,
            .fan_out = fan_out_,
            .request = request_,
            .encoding = encoding_,
            .reply = Writer(encoding_),
            .verifier = verifier_,
            .authorizer = authorizer_,
            .caller = caller_,
            .action = action_,
            .allowed = true,
            .asked_again = true};
  return authorize(call, access_to(call, place));
}

}  // namespace millrace::kinesis
