// identity/directory.h: the access keys that requests may be signed with, and whose they are: an immutable
// picture, replaced as a whole when something changes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "identity/principal.h"

namespace millrace::identity {

struct AccessKey {
  std::string secret_key;
  std::string session_token;  // empty for long-lived keys; else X-Amz-Security-Token must equal it
  std::shared_ptr<const Principal> principal;
};

struct Directory {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  // Those that may be used now, by their ids. Empty: nobody can sign, and no signature is checked.
  std::unordered_map<std::string, AccessKey, Hash, std::equal_to<>> keys;
};

std::shared_ptr<const Principal> root_principal(std::string account, std::string access_key);
// Everybody, where no signature is checked.
std::shared_ptr<const Principal> unchecked_principal();

}  // namespace millrace::identity
