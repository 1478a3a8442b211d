// kms/key_policy.h: key policies: what one must be, before a key gets it.
// source: AWS KMS Developer Guide, "Key policies in AWS KMS", "Default key policy"
#pragma once

#include <string>

#include "kms/operation.h"

namespace millrace::kms {

// The longest text that is looked at; a policy may have fewer bytes (identity::kKeyPolicyBytesMax).
inline constexpr api::Rules kPolicyRules{.min = 1, .max = 131'072};

// Of a request that gives a key a policy: for policies' conditions.
Said say_bypass(bool bypass);
// Whether `text` is a policy, and lets the caller change it again, unless `bypass`.
// arn      of the key
// errors   MalformedPolicyDocumentException, LimitExceededException, ValidationException
Outcome check_key_policy(Call& call, std::string& text, const std::string& arn, bool bypass);

}  // namespace millrace::kms
