// identity/session.h: temporary credentials. All that the server must know of a session is in its token,
// sealed; nothing is stored, and what the session may do follows the role or user as it is now.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "identity/directory.h"
#include "identity/principal.h"
#include "identity/seal.h"

namespace millrace::identity {

struct Session {
  enum class Of : std::uint8_t { kRoot, kUser, kRole } of = Of::kRole;
  std::string holder_id;                    // of the user or role; empty of root
  std::string name;                         // of a role's session
  std::vector<std::string> documents;       // policies that limit it: at most one was given as text, …
  std::vector<std::string> policies;        // … the rest by name
  bool limited = false;                     // whether any were given: then those that are gone allow nothing
  std::map<std::string, std::string> tags;  // of a role's session: aws:PrincipalTag/…
  std::vector<std::string>
      transitive_tags;  // names of those that sessions have too that are begun by this one
  std::int64_t issued_s = 0;
  std::int64_t expires_s = 0;
  std::string access_key;  // "ASIA…"; given by issue()
};

struct TemporaryCredentials {
  std::string access_key, secret_key, token;
};

class Sessions {
 public:
  explicit Sessions(const SealKey& key);

  TemporaryCredentials issue(Session session, Random& random) const;

  struct Opened {
    Session session;
    std::string secret_key;
  };
  // nullopt: no token of this server's.
  std::optional<Opened> open(std::string_view token) const;

 private:
  std::string secret_of(std::string_view access_key) const;

  Seal seal_;
  SealKey secrets_;
};

// Who the session is, now. nullptr: its user or role is no more.
std::shared_ptr<const Principal> principal_of(const Session& session, const Directory& directory);

// "AKIA" + 16, "ASIA" + 16, "AIDA" + 17, "AROA" + 17: letters and digits of base32.
std::string new_id(std::string_view prefix, std::size_t more, Random& random);
// 40 characters of base64, as AWS's secrets.
std::string new_secret(Random& random);

}  // namespace millrace::identity
