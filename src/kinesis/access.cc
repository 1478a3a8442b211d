#include "kinesis/access.h"

#include "api/access.h"

namespace millrace::kinesis {

Outcome authorize(Call& call, const Wanted& wanted) {
  if (const auto* error = std::get_if<ApiError>(&wanted); error != nullptr) return *error;
  const Access& access = *std::get_if<Access>(&wanted);
  identity::AccessRequest request{.action = call.action,
                                  .resource = access.resource,
                                  .request_tags = access.new_tags,
                                  .tag_keys = access.tag_keys,
                                  .frequent = access.frequent};
  if (access.stream != nullptr) request.resource_tags = &access.stream->tags;
  const auto denial =
      call.authorizer.check(call.caller, api::circumstances_of(call.request, call.clock.wall_ms()), request);
  if (denial.has_value()) return api::access_denied(*denial);
  call.allowed = true;
  return std::nullopt;
}

}  // namespace millrace::kinesis
