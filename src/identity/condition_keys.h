// identity/condition_keys.h: the condition keys that requests to this server have values for. A policy that
// names any other key is refused when it is put; where one is stored all the same, its Deny denies and its
// Allow does not allow. docs/identity.md, "Condition keys" source: IAM User Guide, "AWS global condition
// context keys"; AWS Service Authorization Reference
#pragma once

#include <span>
#include <string_view>

namespace millrace::identity {

// As AWS writes them. One that ends with '/' or ':' stands for every key that begins with it and goes on.
std::span<const std::string_view> known_condition_keys();

// key   in any case: "aws:sourceip", "aws:ResourceTag/team"
bool is_known_condition_key(std::string_view key);

}  // namespace millrace::identity
