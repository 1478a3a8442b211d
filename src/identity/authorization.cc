#include "identity/authorization.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::identity {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Decoded, in the order sent.
Parameters query_parameters(std::string_view query) {
  Parameters parameters;
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    parameters.emplace_back(percent_decoded(pair.substr(0, equals)),
                            percent_decoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return parameters;
}

// The first of that name.
const std::string* find(const Parameters& parameters, std::string_view name) {
  for (const auto& [each, value] : parameters) {
    if (each == name) return &value;
  }
  return nullptr;
}

std::variant<Claim, Anonymous, AuthFailure> read_query_claim(const Parameters& parameters) {
  Claim claim;
  claim.in_query = true;
  const std::pair<const char*, std::string*> required[] = {{"X-Amz-Algorithm", &claim.algorithm},
                                                           {"X-Amz-Credential", &claim.credential},
                                                           {"X-Amz-Signature", &claim.signature},
                                                           {"X-Amz-SignedHeaders", &claim.signed_headers},
                                                           {"X-Amz-Date", &claim.time}};
  std::string missing;
  for (const auto& [name, field] : required) {
    if (const std::string* value = find(parameters, name)) *field = *value;
    if (field->empty()) {
      missing.append("AWS query-string parameters must include '").append(name).append("'. ");
    }
  }
  if (!missing.empty()) return incomplete_signature(missing + "Re-examine the query-string parameters.");
  if (const std::string* value = find(parameters, "X-Amz-Security-Token")) claim.security_token = *value;
  if (const std::string* value = find(parameters, "X-Amz-Expires")) claim.lifetime = *value;
  for (const auto& [name, value] : parameters) {
    // The JavaScript pre-signer moves its headers into the query under their own names.
    if (lower_case(name) == "x-amz-content-sha256") claim.payload_hash = value;
  }
  return claim;
}

std::variant<Claim, Anonymous, AuthFailure> read_header_claim(std::string_view header,
                                                              const HeaderIndex& headers) {
  Claim claim;
  bool has_signed_headers = false;
  std::string_view rest = header;
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t end = std::min(rest.find_first_of(", \t"), rest.size());
    const std::string_view element = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (first) {
      claim.algorithm = element;
      continue;
    }
    if (element.empty()) continue;
    const std::size_t equals = element.find('=');
    if (equals == std::string_view::npos) {
      return incomplete_signature(
          "'" + printable(element) +
          "' not a valid key=value pair (missing equal-sign) in Authorization header: '" + printable(header) +
          "'.");
    }
    const std::string_view name = element.substr(0, equals);
    const std::string_view value = element.substr(equals + 1);
    if (name == "Credential") claim.credential = value;
    if (name == "Signature") claim.signature = value;
    if (name == "SignedHeaders") {
      claim.signed_headers = value;
      has_signed_headers = true;  // the service lets an empty one pass here, and misses "host" in it later
    }
  }
  claim.time = headers.joined("x-amz-date");
  if (claim.time.empty()) {
    claim.time = headers.joined("date");
    claim.time_is_http_date = true;
  }
  std::string missing;
  if (claim.credential.empty()) missing += "Authorization header requires 'Credential' parameter. ";
  if (claim.signature.empty()) missing += "Authorization header requires 'Signature' parameter. ";
  if (!has_signed_headers) missing += "Authorization header requires 'SignedHeaders' parameter. ";
  if (claim.time.empty()) {
    missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) return incomplete_signature(missing + "Authorization=" + printable(header));
  claim.security_token = headers.joined("x-amz-security-token");
  return claim;
}

}  // namespace

std::variant<Claim, Anonymous, AuthFailure> read_claim(std::string_view target, const HeaderIndex& headers) {
  const std::string header = headers.joined("authorization");
  const Parameters parameters = query_parameters(query_of(target));
  const bool in_query = find(parameters, "X-Amz-Algorithm") != nullptr;
  if (in_query && !header.empty()) {
    return AuthFailure{
        400, "InvalidSignatureException",
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."};
  }
  if (!in_query && header.empty()) return Anonymous{};
  auto claim = in_query ? read_query_claim(parameters) : read_header_claim(header, headers);
  if (Claim* const whole = std::get_if<Claim>(&claim); whole != nullptr && whole->payload_hash.empty()) {
    whole->payload_hash = headers.joined("x-amz-content-sha256");
  }
  return claim;
}

std::optional<Credential> split_credential(std::string_view credential) {
  while (credential.ends_with('/')) credential.remove_suffix(1);
  std::string_view parts[5];
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t slash = credential.find('/');
    if ((slash == std::string_view::npos) != (i == 4)) return std::nullopt;
    parts[i] = credential.substr(0, slash);
    credential.remove_prefix(std::min(parts[i].size() + 1, credential.size()));
  }
  return Credential{parts[0], parts[1], parts[2], parts[3], parts[4]};
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if ((c < ' ' || c > '~') && c != '\n') c = '?';
  }
  return out;
}

}  // namespace millrace::identity
