// identity/request_context.h: the answers to what policies' conditions and variables ask of one request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/authorizer.h"
#include "identity/principal.h"

namespace millrace::identity {

// Borrows all that it is made of.
class RequestContext {
 public:
  RequestContext(const Principal& principal, const Circumstances& circumstances, const AccessRequest& request,
                 std::string_view region)
      : principal_(principal), circumstances_(circumstances), request_(request), region_(region) {}

  const Principal& principal() const { return principal_; }
  const AccessRequest& request() const { return request_; }

  // Values of a condition key, in any case ("aws:SourceIp"); nullopt: the request has no such thing.
  std::optional<std::vector<std::string>> values(std::string_view key) const;
  // The one value of a key, for a variable; nullopt where there is none, or several.
  std::optional<std::string> value(std::string_view key) const;

  // Whether two requests of one principal for one action and resource may differ in that key.
  static bool varies(std::string_view key);

 private:
  std::optional<std::vector<std::string>> of_principal(std::string_view key) const;
  std::optional<std::vector<std::string>> of_request(std::string_view key) const;
  std::optional<std::vector<std::string>> of_tags(std::string_view key) const;

  const Principal& principal_;
  const Circumstances& circumstances_;
  const AccessRequest& request_;
  std::string_view region_;
};

}  // namespace millrace::identity
