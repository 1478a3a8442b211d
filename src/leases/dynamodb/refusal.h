// leases/dynamodb/refusal.h: why a request is not done, in DynamoDB's types and words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::leases::dynamodb {

struct Refusal {
  std::string type;  // "com.amazon.coral.validate#ValidationException"
  std::string message = {};
  std::string_view message_key = "message";  // "Message" in a SerializationException
  std::string more = {};                     // further members of the answer, as JSON: "\"Item\":{…}"
  int http_status = 400;
};

// nullopt: it went well.
using Outcome = std::optional<Refusal>;

inline Refusal of_service(std::string_view type, std::string message) {
  return {"com.amazonaws.dynamodb.v20120810#" + std::string(type), std::move(message)};
}
inline Refusal validation(std::string message) {
  return {"com.amazon.coral.validate#ValidationException", std::move(message)};
}
inline Refusal serialization(std::string message) {
  return {"com.amazon.coral.service#SerializationException", std::move(message), "Message"};
}
inline Refusal condition_failed() {
  return of_service("ConditionalCheckFailedException", "The conditional request failed");
}
inline Refusal table_not_found(std::string_view table) {
  return of_service("ResourceNotFoundException",
                    "Requested resource not found: Table: " + std::string(table) + " not found");
}
inline Refusal internal_error(std::string message) {
  Refusal refusal = of_service("InternalServerError", std::move(message));
  refusal.http_status = 500;
  return refusal;
}

}  // namespace millrace::leases::dynamodb

// Returns the Outcome of `expression` from the enclosing function, if it is a refusal.
#define LEASES_TRY(expression)                                                                             \
  do {                                                                                                     \
    if (auto leases_try_outcome = (expression); leases_try_outcome.has_value()) return leases_try_outcome; \
  } while (false)
