// kinesis/access.h: what an operation wants to do, and to what: the question that the authorizer answers.
//
// Every request's struct says it by a member function, or does not compile as an operation:
//   Wanted access(Call& call);
// It is asked once the request is decoded, and before the operation runs; an error of it is the answer.
// source: AWS Service Authorization Reference, Amazon Kinesis Data Streams
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/catalog.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {

struct Access {
  std::string_view action = {};                            // empty: the call's own
  std::string resource = "*";                              // its ARN, or "*"
  std::string shown = {};                                  // as AccessRequest's
  std::shared_ptr<const broker::Stream> stream = nullptr;  // whose records it is about, where it exists
  // Of the resource, where it exists: the stream or, in it, a consumer. Tags borrow from `stream`.
  identity::PolicyTexts policies = {};
  const std::map<std::string, std::string>* tags = nullptr;
  const std::map<std::string, std::string>* new_tags = nullptr;  // these borrow from the request
  std::span<const std::string> tag_keys = {};
  bool frequent = false;  // of the data plane
  // What else the service asks for, of the same request: to create with tags is to tag.
  std::vector<Access> also = {};
};
using Wanted = std::variant<Access, ApiError>;

// Of requests that are about no stream: struct ListStreamsRequest : OnAccount { … }.
struct OnAccount {
  Wanted access(Call&) const { return Access{}; }
};

// Whether a master key, by the name that it was given and its ARN, is the one that needs no permission of its
// own: alias/aws/kinesis. Where another service has the keys, the name alone tells it.
bool is_for_everybody(const Call& call, std::string_view key_id, std::string_view master_key);
// Whether the caller may do `action` with the master key of that ARN, through this service and for that
// stream: as the service asks it in the caller's name. errors   KMSAccessDeniedException
Outcome authorize_key(Call& call, std::string_view action, const std::string& master_key,
                      std::string_view stream, bool frequent = false);

// Asks for the call's own action and for what else is wanted, and then what quotas leave. An error:
// AccessDeniedException, and what begin_quotas() says. A call that was not allowed once must not answer
// anything but an error: the front door holds operations to it.
Outcome authorize(Call& call, const Wanted& wanted);

}  // namespace millrace::kinesis
