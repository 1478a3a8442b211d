#include "leases/dynamodb/operations.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr Operation kOperations[] = {
#define OPERATION(name, function) {#name, "dynamodb:" #name, read_##function},
#include "leases/dynamodb/operations.def"
#undef OPERATION
};

}  // namespace

std::span<const Operation> all_operations() { return kOperations; }

const Operation* find_operation(std::string_view name) {
  for (const Operation& operation : kOperations)
    if (operation.name == name) return &operation;
  return nullptr;
}

}  // namespace millrace::leases::dynamodb
