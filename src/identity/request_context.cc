#include "identity/request_context.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

#include "identity/glob.h"

namespace millrace::identity {
namespace {

using Values = std::optional<std::vector<std::string>>;

Values one(std::string_view value) { return std::vector<std::string>{std::string(value)}; }
Values one_if(std::string_view value) { return value.empty() ? std::nullopt : one(value); }

std::string iso_time(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

// Without the port.
std::string_view host_of(std::string_view peer) {
  if (peer.starts_with('[')) return peer.substr(1, peer.find(']') - 1);
  return peer.substr(0, peer.rfind(':'));
}

std::string_view account_of(std::string_view arn) {
  for (int colons = 0; colons < 4; ++colons) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return {};
    arn.remove_prefix(colon + 1);
  }
  return arn.substr(0, arn.find(':'));
}

// Keys of conditions are equal in any case, and names of tags are not: all that the key may mean.
Values tag(const std::map<std::string, std::string>* tags, std::string_view name) {
  if (tags == nullptr) return std::nullopt;
  std::vector<std::string> values;
  for (const auto& [key, value] : *tags)
    if (folded(key) == name) values.push_back(value);
  if (values.empty()) return std::nullopt;
  return values;
}

constexpr std::string_view kResourceTag = "aws:resourcetag/", kRequestTag = "aws:requesttag/",
                           kPrincipalTag = "aws:principaltag/";

}  // namespace

bool RequestContext::varies(std::string_view key) {
  const std::string name = folded(key);
  for (const std::string_view fixed :
       {"aws:username", "aws:userid", "aws:principalarn", "aws:principalaccount", "aws:principaltype",
        "aws:requestedregion", "aws:resourceaccount", "aws:principalisawsservice", "aws:viaawsservice",
        "aws:tokenissuetime", "aws:multifactorauthpresent", "kms:calleraccount"}) {
    if (name == fixed) return false;
  }
  return !name.starts_with(kPrincipalTag);
}

Values RequestContext::values(std::string_view key) const {
  const std::string name = folded(key);
  if (auto found = of_principal(name); found.has_value()) return found;
  if (auto found = of_tags(name); found.has_value()) return found;
  if (auto found = of_request(name); found.has_value()) return found;
  Values all;
  for (const ConditionValue& more : request_.more) {
    if (folded(more.key) != name) continue;
    if (!all.has_value()) all.emplace();
    all->insert(all->end(), more.values.begin(), more.values.end());
  }
  return all;
}

std::optional<std::string> RequestContext::value(std::string_view key) const {
  auto found = values(key);
  if (!found.has_value() || found->size() != 1) return std::nullopt;
  return std::move(found->front());
}

Values RequestContext::of_principal(std::string_view key) const {
  const bool session = principal_.kind == Principal::Kind::kSession;
  if (key == "aws:principalarn") return one(session ? principal_.role_arn : principal_.arn);
  if (key == "aws:userid") return one_if(principal_.id);
  if (key == "aws:username")
    return principal_.kind == Principal::Kind::kUser ? one(principal_.name) : std::nullopt;
  if (key == "aws:principalaccount") return one_if(principal_.account);
  if (key == "kms:calleraccount" && request_.action.starts_with("kms:")) return one_if(principal_.account);
  if (key == "aws:principaltype")
    return one(session ? "AssumedRole" : principal_.kind == Principal::Kind::kUser ? "User" : "Account");
  if (key == "aws:principalisawsservice" || key == "aws:viaawsservice") return one("false");
  // Long-lived keys say nothing of the two below.
  if (key == "aws:multifactorauthpresent") return principal_.temporary ? one("false") : std::nullopt;
  if (key == "aws:tokenissuetime")
    return principal_.temporary ? one(iso_time(principal_.token_issued_s)) : std::nullopt;
  if (key.starts_with(kPrincipalTag)) return tag(&principal_.tags, key.substr(kPrincipalTag.size()));
  return std::nullopt;
}

Values RequestContext::of_tags(std::string_view key) const {
  if (key.starts_with(kResourceTag)) return tag(request_.resource_tags, key.substr(kResourceTag.size()));
  if (key.starts_with(kRequestTag)) return tag(request_.request_tags, key.substr(kRequestTag.size()));
  if (key != "aws:tagkeys") return std::nullopt;
  std::vector<std::string> keys(request_.tag_keys.begin(), request_.tag_keys.end());
  if (request_.request_tags != nullptr)
    for (const auto& [name, value] : *request_.request_tags) keys.push_back(name);
  if (keys.empty()) return std::nullopt;
  return keys;
}

Values RequestContext::of_request(std::string_view key) const {
  if (key == "aws:sourceip") return one_if(host_of(circumstances_.peer));
  if (key == "aws:securetransport") return one(circumstances_.tls ? "true" : "false");
  if (key == "aws:currenttime") return one(iso_time(circumstances_.now_ms / 1'000));
  if (key == "aws:epochtime") return one(std::to_string(circumstances_.now_ms / 1'000));
  if (key == "aws:requestedregion") return one_if(region_);
  if (key == "aws:resourceaccount") return one_if(account_of(request_.resource));
  const bool agent = key == "aws:useragent";
  if (!agent && key != "aws:referer") return std::nullopt;
  for (const HttpHeader& header : circumstances_.headers)
    if (folded(header.name) == (agent ? "user-agent" : "referer")) return one(header.value);
  return std::nullopt;
}

}  // namespace millrace::identity
