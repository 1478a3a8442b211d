#include "identity/authorizer.h"

#include <utility>

namespace millrace::identity {

struct Authorizer::State {
  std::string region;
  AuditSink* sink;
};

Authorizer::Authorizer(std::string region, AuditSink* sink)
    : state_(std::make_unique<State>(State{std::move(region), sink})) {}
Authorizer::~Authorizer() = default;

std::optional<Denial> Authorizer::check(const Caller& caller, const Circumstances&,
                                        const AccessRequest& request) const {
  // There are no others yet.
  if (caller.principal->may_do_everything()) return std::nullopt;
  return Denial{std::string("User: ")
                    .append(caller.principal->arn)
                    .append(" is not authorized to perform: ")
                    .append(request.action)
                    .append(" on resource: ")
                    .append(request.resource)
                    .append(" because no identity-based policy allows the ")
                    .append(request.action)
                    .append(" action")};
}

void Authorizer::refused(const AuthFailure&, std::string_view, const Circumstances&) const {}
void Authorizer::report(std::int64_t, bool) const {}

}  // namespace millrace::identity
