// iam/admin_operations.h: what `millrace admin` can ask for: each operation reads its request's members and
// says what is to change, or answers.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "iam/keeper.h"
#include "identity/identities.h"
#include "identity/quota.h"

namespace millrace::iam {

using AdminJson = nlohmann::ordered_json;

// A request and what operations need, for the time of one call. All borrowed.
struct AdminWish {
  Keeper& keeper;
  Random& random;
  std::int64_t now_ms;
  const AdminJson& body;
  std::string wrong = {};  // set when a field is missing or of the wrong type; then nothing is done

  std::string text(const char* name);
  std::string text_or_empty(const char* name);
  // 0 to 1,000,000; where it is absent `otherwise`
  std::int32_t number(const char* name, std::int32_t otherwise);
  // Where it is absent 0.
  std::uint64_t figure(const identity::QuantityName& name);
};

// What an operation is going to do. A change, and what is answered once it is made; or an answer alone.
struct AdminPlan {
  std::optional<identity::IdentityChange> change;
  AdminJson answer = AdminJson::object();
};
using AdminPlanned = Result<AdminPlan>;

// What of the request names the resource: kind and field; nullptr: "*". Where the request names a user or a
// role, another action may stand in its place, and is on that user or role.
struct AdminOperation {
  std::string_view name, action;
  const char* kind;
  const char* field;
  AdminPlanned (*plan)(AdminWish&);
  std::string_view user_action = {}, role_action = {};
};
// All of them.
std::span<const AdminOperation> admin_operations();

}  // namespace millrace::iam
