// leases/dynamodb/request_expressions.h: the expressions of a request, or of a part of one, with their
// placeholders.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/refusal.h"
#include "leases/json.h"

namespace millrace::leases::dynamodb {

class RequestExpressions {
 public:
  // request   borrowed
  explicit RequestExpressions(const Json& request) : request_(request) {}

  // First: checks what goes together, and reads the placeholders.
  // expressions   the parameters of this operation that are expressions; legacy   what stands for them
  // otherwise
  Outcome begin(std::initializer_list<std::string_view> expressions,
                std::initializer_list<std::string_view> legacy);
  // Each reads its parameter, if it is there.
  Outcome condition(std::string_view parameter, std::optional<Condition>* condition);
  Outcome update(std::optional<Update>* update);
  Outcome projection(std::vector<Path>* paths);
  // Last: all of them have been used.
  Outcome end() const { return placeholders_.all_used(); }

 private:
  Outcome read_names();
  Outcome read_values();
  Outcome text_of(std::string_view parameter, const std::string** text) const;

  const Json& request_;
  Placeholders placeholders_;
};

// "AttributesToGet", as paths.
Outcome read_attributes_to_get(const Json& request, std::vector<Path>* paths);

}  // namespace millrace::leases::dynamodb
