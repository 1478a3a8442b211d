// iam/admin_operations.h: what `millrace admin` can ask for: each operation reads its request's members and
// says what is to change, or answers.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "iam/keeper.h"
#include "identity/identities.h"
#include "identity/quota.h"

namespace millrace::iam {

using AdminJson = nlohmann::ordered_json;

// What an operation is allowed by.
struct AdminAsk {
  std::string_view action;  // "iam:CreateUser"
  std::string subject;      // of an ARN behind the account: "user/alice"; empty: no one thing, "*"
  std::string policy = {};  // the name of the policy that is attached or detached: iam:PolicyARN
};
using AdminAsks = std::vector<AdminAsk>;
// In the place of a user that there is not.
inline constexpr std::string_view kEveryUser = "user/*";

// A request and what operations need, for the time of one call. All borrowed.
struct AdminWish {
  Keeper& keeper;
  Random& random;
  std::int64_t now_ms;
  std::int64_t started_ms;  // of the server, since when it knows which keys are used
  const AdminJson& body;
  std::function<bool(const AdminAsk&)>
      may;                 // whether the caller may, so that lists show no more than AWS does
  std::string wrong = {};  // set when a field is missing or of the wrong type; then nothing is done
  std::set<std::string, std::less<>> read = {};  // the members that the operation knows

  std::string text(const char* name);
  std::string text_or_empty(const char* name);
  // 0 to 1,000,000; where it is absent `otherwise`
  std::int32_t number(const char* name, std::int32_t otherwise);
  // Where it is absent 0.
  std::uint64_t figure(const identity::QuantityName& name);
  // Once all is read: a member that nothing takes was meant to do something, so it is wrong.
  void refuse_unread();
};

// What an operation is going to do. A change, and what is answered once it is made; or an answer alone.
struct AdminPlan {
  std::optional<identity::IdentityChange> change;
  AdminJson answer = AdminJson::object();
};
using AdminPlanned = Result<AdminPlan>;

struct AdminOperation {
  std::string_view name;
  AdminAsks (*asks)(const AdminWish&);  // at least one; all of them must be allowed
  AdminPlanned (*plan)(AdminWish&);
  bool of_users = true;  // of what there is only where signatures are checked
};
// All of them.
std::span<const AdminOperation> admin_operations();

}  // namespace millrace::iam
