// leases/dynamodb/operations.h: the operations of DynamoDB that there are here, by name.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "leases/dynamodb/refusal.h"
#include "leases/dynamodb/table_store.h"
#include "leases/json.h"

namespace millrace::leases::dynamodb {

// What a request is read in.
struct Scope {
  const std::string& account;
  const std::string& region;
  const Clock& clock;    // outlives the command
  std::string uuid;      // a fresh one
  std::string endpoint;  // as the client called it: "127.0.0.1:4566"
};

struct Operation {
  std::string_view name;    // "PutItem"
  std::string_view action;  // "dynamodb:PutItem"
  // Reads and checks a request, which is borrowed until it returns. Any thread.
  Outcome (*read)(const Json& request, const Scope& scope, std::unique_ptr<Command>* command);
};

std::span<const Operation> all_operations();
const Operation* find_operation(std::string_view name);  // nullptr: there is none

// Defined beside each other in the files of their subjects.
#define OPERATION(name, function) \
  Outcome read_##function(const Json& request, const Scope& scope, std::unique_ptr<Command>* command);
#include "leases/dynamodb/operations.def"
#undef OPERATION

}  // namespace millrace::leases::dynamodb
