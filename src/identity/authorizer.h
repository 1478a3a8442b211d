// identity/authorizer.h: may this caller do that? Every front door asks here, for every operation, before it
// looks at what the operation is about: an AccessRequest of action and resource goes to check(), with
// api::circumstances_of the HTTP request; a Denial goes out by api::access_denied (api/access.h).
//
// The rules are AWS's within one account: an explicit deny wins; then an allow is needed, of the caller's own
// policies or of the resource's; and of the session's where it has some.
// source: IAM User Guide, "Policy evaluation logic"; docs/decisions/0006-who-may-do-what.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/http_header.h"
#include "base/memory_share.h"
#include "base/result.h"
#include "identity/principal.h"
#include "identity/sigv4.h"

namespace millrace::identity {

class Policy;

// What policies' conditions may ask of any request. Borrowed.
struct Circumstances {
  std::string_view peer;  // "127.0.0.1:40312", "[::1]:40312"
  bool tls = false;
  std::int64_t now_ms = 0;
  std::span<const HttpHeader> headers = {};
};

// A condition key of the service's own: "dynamodb:LeadingKeys".
struct ConditionValue {
  std::string key;
  std::vector<std::string> values;
};

// The policies that a resource is under; nullptr: there is none.
template <typename P>
struct ResourcePolicies {
  P own = nullptr;
  // Of what the resource is part of (a consumer's stream): what it denies of the resource is denied, and what
  // it allows is not heard.
  P enclosing = nullptr;

  bool operator==(const ResourcePolicies&) const = default;
};
// As they were stored: texts that parse_policy took. The same pointer as long as it is the same text:
// compiled policies are kept by it.
using PolicyTexts = ResourcePolicies<std::shared_ptr<const std::string>>;

// One action on one resource; an operation that needs several asks several times. Borrowed until check()
// returns.
struct AccessRequest {
  // As AWS's service authorization reference names it: "kinesis:PutRecord". Where a caller asks often, the
  // same characters at the same place make it quick.
  std::string_view action;
  std::string_view resource = "*";  // its ARN, or "*" where the action has no resource
  // As the request named it, where that says less than the ARN: then a denial tells no more, so that whoever
  // is denied does not learn what there is. Empty: `resource` is told.
  std::string_view shown = {};

  PolicyTexts policies = {};
  // Of the resource's own policy:
  // kMayAllow   its allow or that of the caller's policies is enough: streams, tables
  // kMustAllow  it must allow the caller, or the caller's account and then the caller's policies too: KMS
  //             keys, roles
  enum class Weight : std::uint8_t { kMayAllow, kMustAllow } weight = Weight::kMayAllow;

  const std::map<std::string, std::string>* resource_tags = nullptr;  // aws:ResourceTag/…
  const std::map<std::string, std::string>* request_tags = nullptr;   // aws:RequestTag/…, aws:TagKeys
  std::span<const std::string> tag_keys = {};                         // aws:TagKeys of an untagging
  std::span<const ConditionValue> more = {};

  // Of the data plane: the audit log sums such up sooner. docs/operations.md, "Audit log"
  bool frequent = false;
};

struct Denial {
  // "User: arn:… is not authorized to perform: … on resource: … because no identity-based policy allows the …
  // action"
  std::string message;
};

// A decision, or several of one kind, for the audit log. Borrowed until write() returns.
struct AuditLine {
  std::string_view principal;   // ARN; empty where the caller is not known
  std::string_view access_key;  // as claimed where the caller is not known
  std::string_view action;
  std::string_view resource;
  bool allowed;
  std::string_view reason;  // "identity-based policy policy/readers", "no identity-based policy", "root"
  std::string_view peer;    // of the last of them
  std::uint64_t count;      // of decisions
  std::int64_t first_ms;    // when the first and the last of them was made
  std::int64_t last_ms;
};
class AuditSink {
 public:
  virtual ~AuditSink() = default;
  // Any thread, many at once.
  virtual void write(const AuditLine& line) = 0;
};

// What an authorizer's threads remember.
struct AuthorizerMemory {
  std::shared_ptr<MemoryShare> policies = std::make_shared<MemoryShare>("policies", 16u << 20);
  std::shared_ptr<MemoryShare> decisions = std::make_shared<MemoryShare>("decisions", 16u << 20);
  std::shared_ptr<MemoryShare> audit = std::make_shared<MemoryShare>("audit sums", 8u << 20);
};

class Authorizer {
 public:
  // region    the server's, for aws:RequestedRegion
  // sink      borrowed, outlives it; nullptr: no audit log
  // takes_unknown_keys   whether check_keys() passes policies with condition keys that nothing here has
  Authorizer(std::string region, AuditSink* sink, AuthorizerMemory memory = {},
             bool takes_unknown_keys = false);
  ~Authorizer();
  Authorizer(const Authorizer&) = delete;

  // nullopt: allowed. Decisions that depend on nothing but what is asked are remembered, a thread each.
  // Any thread; no locks.
  std::optional<Denial> check(const Caller& caller, const Circumstances& circumstances,
                              const AccessRequest& request) const;

  // The same, but nothing of it is logged: for what an answer shows of others' things.
  bool may(const Caller& caller, const Circumstances& circumstances, const AccessRequest& request) const;

  // Whether a policy may be put, as far as its condition keys and variables go.
  // errors   kInvalid: it names one that this server does not know (identity/condition_keys.h); says which
  Result<void> check_keys(const Policy& policy) const;

  // By whom policies that are put may name. directory   borrowed, outlives this; before the first call of
  // bind()
  void names_from(const Published<Directory>& directory);
  // What is to be stored of a resource's policy: bound_policy.h. Without a directory it is not bound.
  // errors   kInvalid: it names somebody of this account who is not there
  Result<std::string> bind(std::string document, const Policy& policy) const;

  // Whether that would be allowed if `proposed` were the resource's policy, in the place of the request's.
  // Root is held to it as the account is whose policies allow everything. Nothing of it is remembered, or
  // logged.
  bool would_allow(const Caller& caller, const Circumstances& circumstances, const AccessRequest& request,
                   const Policy& proposed) const;

  // A request whose signature did not pass, for the audit log.
  // access_key   as claimed, or empty
  void refused(const AuthFailure& failure, std::string_view access_key,
               const Circumstances& circumstances) const;

  // Writes what this thread has summed up for long enough, or all of it. Each loop calls it every few
  // seconds, and with `all` before it ends.
  void report(std::int64_t now_ms, bool all) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::identity
