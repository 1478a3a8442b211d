// identity/policy.h: an IAM policy document, checked and compiled.
// source: IAM User Guide, "IAM JSON policy elements reference"
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/condition.h"
#include "identity/glob.h"
#include "identity/request_context.h"

namespace millrace::identity {

// Where a document is attached says what it must have and must not.
enum class PolicyKind : std::uint8_t {
  kIdentity,  // to a user, role or session: no Principal
  kResource,  // to a stream, consumer, table or key: Principal and Resource
  kTrust,     // to a role: Principal, and no Resource, which is the role itself
};

// Bytes of a document, blanks and all. source: IAM and STS quotas; Kinesis API reference, PutResourcePolicy;
// KMS resource quotas
inline constexpr std::size_t kIdentityPolicyBytesMax = 10'240;
inline constexpr std::size_t kSessionPolicyBytesMax = 2'048;
inline constexpr std::size_t kTrustPolicyBytesMax = 4'096;
inline constexpr std::size_t kResourcePolicyBytesMax = 20'480;
inline constexpr std::size_t kKeyPolicyBytesMax = 32'768;

// How a statement's Principal names a caller; the greatest that fits.
enum class Named : std::uint8_t {
  kNot,
  kByAccount,  // "123456789012" or its root: left to the account's own policies
  kByRole,     // its role, or "*": a session's policies still limit it
  kItself,     // the user, or the session
};

struct PrincipalPattern {
  enum class Kind : std::uint8_t { kAnyone, kAccount, kArn, kNobodyHere } kind;
  std::string text;     // 12 digits, or an ARN
  std::string id = {};  // of an ARN: whom it is bound to, "AIDA…" or the role's "AROA…"; empty: to the name
};

struct Statement {
  std::string sid;
  bool allow = false;
  bool not_principal = false, not_action = false, not_resource = false;
  std::vector<PrincipalPattern> principals;
  std::vector<Glob> actions;
  std::vector<Glob> resources;
  std::vector<std::string> variable_resources;  // patterns with variables in them
  std::vector<Condition> conditions;
  bool varies = false;  // by more than principal, action and resource
  // Condition keys and variables that this server does not know. With one in a resource, a Deny is about
  // every resource and an Allow about none; of conditions: condition.h
  std::vector<std::string> unknown_keys;
  bool unknown_resource = false;

  bool is_about(const RequestContext& context) const;  // by action and resource
  bool holds(const RequestContext& context) const;     // all of its conditions
  Named names(const Principal& principal) const;
  std::size_t memory_bytes() const;  // that it holds beside itself
};

class Policy {
 public:
  Policy(std::string text, std::vector<Statement> statements);

  const std::string& text() const { return text_; }  // as it was given
  const std::vector<Statement>& statements() const { return statements_; }
  // All that it takes: many times its text, where that is made of stars.
  std::size_t memory_bytes() const { return memory_bytes_; }
  // Of all statements, each once.
  std::vector<std::string> unknown_keys() const;

 private:
  std::string text_;
  std::vector<Statement> statements_;
  std::size_t memory_bytes_;
};

// errors   kInvalid: for the message of MalformedPolicyDocument; says where, and what would be right
//          kLimit: longer than `bytes_max`
Result<std::shared_ptr<const Policy>> parse_policy(std::string_view json, PolicyKind kind,
                                                   std::size_t bytes_max);

}  // namespace millrace::identity
