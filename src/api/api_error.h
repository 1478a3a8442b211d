// api/api_error.h: an error as the API shows it, and how the house's errors become one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/encoding.h"
#include "api/writer.h"
#include "base/result.h"

namespace millrace::api {

struct ApiError {
  std::string type;          // "ResourceNotFoundException"
  std::string message = {};  // empty: the answer has none
  int http_status = 400;
  std::string_view message_key = "message";  // "Message" in a SerializationException
};

// nullopt: it went well, and the answer stands in Call::reply.
using Outcome = std::optional<ApiError>;

ApiError invalid_argument(std::string message);
ApiError not_found(std::string message);
ApiError in_use(std::string message);
ApiError limit_exceeded(std::string message);
ApiError validation(std::string message);
ApiError serialization(std::string message);  // an empty message: none
ApiError internal_failure(std::string message = {});

// The one place where an ErrorKind becomes a type of the API. The text goes along, except that of a fault of
// the server, which is logged (api/fault.h).
ApiError from_house(const Error& error);

void write_error(const ApiError& error, Writer& writer);

}  // namespace millrace::api
