// identity/bound_policy.h: policies of resources and roles as they are stored: with the ids of those that
// they name.
//
// A policy that names user/alice means the alice of the time when it was put. One who is made later under
// that name is somebody else; so each ARN of a user or role is bound to the id that it had. A text of an
// earlier version has no ids, and goes by the names until it is put again. source: IAM User Guide, "AWS JSON
// policy elements: Principal", on the ids that replace deleted principals
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "identity/directory.h"
#include "identity/policy.h"

namespace millrace::identity {

// The document, and behind a separator that no JSON has the ids of whom it names. What names others than
// users, roles and sessions of the directory's account is not bound; nor is anything where signatures are not
// checked. policy   of `document`, as parse_policy made it errors   kInvalid: it names somebody of this
// account who is not there
Result<std::string> bind_principals(std::string document, const Policy& policy, const Directory& directory);

// What was put.
std::string_view document_of(std::string_view stored);

// As parse_policy, of what bind_principals made or an earlier version stored: never of what somebody sends.
// bytes_max   of the document
Result<std::shared_ptr<const Policy>> parse_stored_policy(std::string_view stored, PolicyKind kind,
                                                          std::size_t bytes_max);

}  // namespace millrace::identity
