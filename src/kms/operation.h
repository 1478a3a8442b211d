// kms/operation.h: an operation of the key service's API: its name, its fields, and what it does.
#pragma once

#include <concepts>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api_error.h"
#include "api/decode.h"
#include "api/field.h"
#include "api/writer.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/task.h"
#include "identity/authorizer.h"
#include "keys/key_service.h"
#include "net/http.h"

namespace millrace::kms {

using api::ApiError;
using api::Blob;
using api::field;
using api::Field;
using api::Outcome;
using api::Writer;
using keys::MasterKey;

// One request on its way. Belongs to the connection's loop, and lives until the answer is sent.
struct Call {
  keys::KeyService& service;
  const Clock& clock;
  Random& random;
  net::Request& request;
  Writer reply{api::Encoding::kJson};
  const identity::Authorizer& authorizer;
  const identity::Caller& caller;
  std::string_view action;    // "kms:Encrypt"
  bool allowed = false;       // by the authorizer
  std::string resource = {};  // its ARN; of what was asked about last
};

// What a request says that the conditions of policies may ask of. Borrowed.
struct Said {
  std::vector<identity::ConditionValue> more = {};  // by the service's own names: "kms:EncryptionContextKeys"
  const std::map<std::string, std::string>* new_tags = nullptr;
  std::span<const std::string> tag_keys = {};
};
// Adds of what kind a key is, of which there is but one.
void say_kind(Said& said);

// May the caller do `action` to the alias with that ARN, or to "*"?
Outcome authorize(Call& call, std::string_view action, const std::string& resource, const Said& said = {});
// The same of a key, whose policy must allow it. name   by which the request names it; may be empty
Outcome authorize_key(Call& call, std::string_view action, const MasterKey& key, std::string_view name,
                      Said said = {});
// Asks for the call's own action on a key, by any of its names; then gives the key.
// errors   AccessDeniedException; NotFoundException
Result<std::shared_ptr<const MasterKey>> allowed_key(Call& call, std::string_view name, Outcome& refused,
                                                     Said said = {});

struct Operation {
  std::string_view name;
  std::span<const Field> fields;
  // Answers into call.reply, or with an error. `call` is borrowed until it ends, on any loop.
  Task<Outcome> (*run)(Call& call);
};

inline constexpr std::int64_t kBlobBytesMax = 6'144;

namespace operation_internal {

template <typename Request, const auto& kFields, Task<Outcome> (*kRun)(Call&, Request)>
Task<Outcome> decode_and_run(Call& call) {
  Request request;
  Outcome wrong =
      api::decode(api::Encoding::kJson, call.request.body.view(), kFields, kBlobBytesMax, &request);
  if (wrong.has_value()) co_return wrong;
  Task<Outcome> running = kRun(call, std::move(request));
  Outcome outcome = co_await std::move(running);
  co_return outcome;
}

}  // namespace operation_internal

template <typename Request, const auto& kFields, Task<Outcome> (*kRun)(Call&, Request)>
constexpr Operation operation(std::string_view name) {
  return {name, kFields, operation_internal::decode_and_run<Request, kFields, kRun>};
}

// By its name without a prefix; nullptr: there is none.
const Operation* find_operation(std::string_view name);
// "kms:Encrypt": one text for the life of the process.
std::string_view action_of(const Operation& operation);

// The one place where a kind of the house becomes a type of this API. The text goes along.
ApiError from_house(const Error& error);

}  // namespace millrace::kms
