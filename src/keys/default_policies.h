// keys/default_policies.h: the policies of keys whose owners gave them none.
// source: AWS KMS Developer Guide, "Default key policy", "Viewing the key policy of an AWS managed key"
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace millrace::keys {

// The account may do everything: what its own policies say decides.
std::shared_ptr<const std::string> default_key_policy(std::string_view account);
// Of the server's own key: everybody of the account may use it through Kinesis, and only look at it directly.
std::shared_ptr<const std::string> own_key_policy(std::string_view account, std::string_view region);

}  // namespace millrace::keys
