// sts/operations.h: the operations of STS: parameters in, the inside of the result out.
// source: AWS Security Token Service API reference
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/random.h"
#include "identity/authorizer.h"
#include "identity/directory.h"
#include "identity/session.h"
#include "identity/sigv4.h"
#include "sts/query.h"

namespace millrace::sts {

struct Call {
  const Parameters& parameters;
  const identity::Caller& caller;
  const identity::Circumstances& circumstances;
  const identity::Directory& directory;
  const identity::Sessions& sessions;
  const identity::Authorizer& authorizer;
  Random& random;
};
using Outcome = std::variant<std::string, QueryError>;

struct Operation {
  std::string_view name;
  std::span<const std::string_view> parameters;  // as Parameters::check() takes them
  Outcome (*run)(const Call& call);
};
// nullptr: there is none of that name.
const Operation* find_operation(std::string_view name);

}  // namespace millrace::sts
