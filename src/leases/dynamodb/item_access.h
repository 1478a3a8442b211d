// leases/dynamodb/item_access.h: what policies' conditions may ask of a request for items: whose they are,
// which attributes it names, what it returns. source: AWS Service Authorization Reference, Amazon DynamoDB;
// DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control"
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "identity/authorizer.h"
#include "leases/dynamodb/item_write.h"
#include "leases/dynamodb/keys.h"
#include "leases/dynamodb/table_store.h"

namespace millrace::leases::dynamodb {

// Of attributes at the top of an item: whatever a request has, sets, asks about or wants to see.
using AttributeNames = std::set<std::string>;
void add_names(const Attributes& attributes, AttributeNames* names);
void add_names(const std::vector<Path>& paths, AttributeNames* names);
void add_names(const std::optional<Condition>& condition, AttributeNames* names);
void add_names(const ItemWrite& write, AttributeNames* names);

struct ItemAccess {
  std::string_view action;  // "dynamodb:GetItem"
  std::string table;
  std::string index = {};                     // of a search in one
  std::vector<const Attributes*> items = {};  // borrowed from the command
  AttributeNames names = {};
  CapacityDetail detail = CapacityDetail::kNone;
  std::string_view select = {};  // "ALL_ATTRIBUTES"; empty: it reads no items to return them
  std::vector<std::string> return_values = {};
  std::string_view enclosing = {};  // "TransactGetItems"
};
Access access_of(ItemAccess access);

// "SPECIFIC_ATTRIBUTES", or "ALL_ATTRIBUTES" of no paths.
std::string_view selected(const std::vector<Path>& paths);
// What a write returns when all goes well, and of an item that its condition does not fit.
std::vector<std::string> returned(const ItemWrite& write, std::string values);

// Who asks, and what for.
struct Asker {
  const identity::Authorizer& authorizer;
  const identity::Caller& caller;
  const identity::Circumstances& circumstances;
  std::string_view arn_prefix;  // "arn:aws:dynamodb:REGION:ACCOUNT:"
};
// Whether all that the command does may be done to the tables as they are: their keys say which of an item's
// attributes is the leading one.
std::optional<identity::Denial> denial_of(const Command& command, const Asker& asker, const Tables& tables);

}  // namespace millrace::leases::dynamodb
