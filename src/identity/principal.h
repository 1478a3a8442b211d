// identity/principal.h: who a caller is: root, a user, or a session of a role, with the policies that say
// what they may do.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace millrace::identity {

class Policy;
struct Session;

struct NamedPolicy {
  std::string name;  // for the audit log: "policy/readers", or "inline/readers"
  std::shared_ptr<const Policy> policy;
};

// Made whole, never changed: a change of who may do what makes others.
struct Principal {
  enum class Kind : std::uint8_t {
    kUnchecked,  // the server checks no signatures: everybody may do everything
    kRoot,       // may do everything
    kUser,
    kSession,  // of a role
  };

  Kind kind = Kind::kUnchecked;
  std::string account;
  // arn:aws:iam::ACCOUNT:root, arn:aws:iam::ACCOUNT:user/NAME, arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
  std::string arn;
  std::string id;        // the account's of root, "AIDA…", "AROA…:SESSION"
  std::string name;      // of a user, or of the role
  std::string role_arn;  // of a session: arn:aws:iam::ACCOUNT:role/NAME
  std::string access_key;
  std::map<std::string, std::string> tags;   // of a session
  std::vector<std::string> transitive_tags;  // names of those that it passes on
  bool temporary = false;                    // signed with a session token
  std::shared_ptr<const Session> session;    // where temporary
  std::uint64_t directory = 0;               // the serial of the one that it is of, where temporary
  std::int64_t token_issued_s = 0;           // where temporary
  std::vector<NamedPolicy> policies;         // of the user or role
  // A session that was begun with policies may do only what they allow too.
  std::vector<NamedPolicy> session_policies;

  // Tells this object from every other one of the process, past ones too: what caches go by.
  std::uint64_t serial = 0;

  bool may_do_everything() const { return kind == Kind::kUnchecked || kind == Kind::kRoot; }
};

// A number for Principal::serial and the like. Any thread.
std::uint64_t next_serial();

}  // namespace millrace::identity
