// leases/dynamodb/parameters.h: reads the members of a request, or of a structure in one, and collects what
// is wrong with them, as the service does: types first, then all constraints in one message.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leases/dynamodb/refusal.h"
#include "leases/json.h"

namespace millrace::leases::dynamodb {

// What is wrong with a request so far; shared by the readers of its structures.
class Complaints {
 public:
  // Of a value that has the wrong type: only the first is told.
  void type(std::string message);
  // "Value 'v' at 'where' failed to satisfy constraint: rule"; the first ten are told.
  void constraint(std::string_view shown, std::string_view where, std::string_view rule);
  Outcome refusal() const;
  bool none() const { return !type_.has_value() && constraints_.empty(); }

 private:
  std::optional<std::string> type_;
  std::vector<std::string> constraints_;
};

class Parameters {
 public:
  // All borrowed. path   of this structure, as messages name it: "" or "keySchema.1.member"
  Parameters(const Json& map, Complaints& complaints, std::string path = {})
      : map_(map), complaints_(complaints), path_(std::move(path)) {}

  bool has(std::string_view name) const { return map_.find(name) != nullptr; }
  Complaints& complaints() { return complaints_; }

  std::optional<std::string> text(std::string_view name);
  std::optional<std::string> text_of(std::string_view name, std::initializer_list<std::string_view> allowed);
  std::optional<bool> boolean(std::string_view name);
  // Saturated; below `min` is a complaint.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  // nullptr: not there, or not one.
  const Json* list(std::string_view name);
  const Json* map(std::string_view name);
  // A structure: the same as a map in JSON.
  const Json* structure(std::string_view name) { return map(name); }
  std::vector<std::string> texts(std::string_view name);

  // "Value null at 'x' failed to satisfy constraint: Member must not be null"
  void require(std::string_view name);
  // A table's or an index's name: [a-zA-Z0-9_.-]+, 3 to 255 characters.
  std::optional<std::string> name(std::string_view name);
  // A table's name, or its ARN, of which the name is returned.
  std::string table_name(std::string_view name = "TableName");

  void complain(std::string_view name, std::string_view shown, std::string_view rule) {
    complaints_.constraint(shown, where(name), rule);
  }
  // "path.tableName"
  std::string where(std::string_view name) const;

 private:
  const Json& map_;
  Complaints& complaints_;
  std::string path_;
};

// What a message says of a JSON value in place of `wanted`: "NUMBER_VALUE cannot be converted to String".
std::string type_complaint(const Json& value, std::string_view wanted);

}  // namespace millrace::leases::dynamodb
