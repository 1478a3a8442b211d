#include "api/api_error.h"

#include <utility>

#include "api/fault.h"

namespace millrace::api {

ApiError invalid_argument(std::string message) { return {"InvalidArgumentException", std::move(message)}; }
ApiError not_found(std::string message) { return {"ResourceNotFoundException", std::move(message)}; }
ApiError in_use(std::string message) { return {"ResourceInUseException", std::move(message)}; }
ApiError limit_exceeded(std::string message) { return {"LimitExceededException", std::move(message)}; }
ApiError validation(std::string message) { return {"ValidationException", std::move(message)}; }
ApiError serialization(std::string message) {
  return {"SerializationException", std::move(message), 400, "Message"};
}
ApiError internal_failure(std::string message) { return {"InternalFailure", std::move(message), 500}; }

ApiError from_house(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalid:
      return invalid_argument(error.text);
    case ErrorKind::kNotFound:
      return not_found(error.text);
    case ErrorKind::kConflict:
      return in_use(error.text);
    case ErrorKind::kLimit:
      return limit_exceeded(error.text);
    case ErrorKind::kThrottled:
      return {"ProvisionedThroughputExceededException", error.text};
    case ErrorKind::kUnavailable:
      return {"ServiceUnavailable", fault_text(error), 503};
    case ErrorKind::kKeyNotFound:
      return {"KMSNotFoundException", error.text};
    case ErrorKind::kKeyDisabled:
      return {"KMSDisabledException", error.text};
    case ErrorKind::kKeyInvalidState:
      return {"KMSInvalidStateException", error.text};
    case ErrorKind::kKeyDenied:
      return {"KMSAccessDeniedException", error.text};
    case ErrorKind::kKeyOptIn:
      return {"KMSOptInRequired", error.text};
    case ErrorKind::kKeyThrottled:
      return {"KMSThrottlingException", error.text};
    case ErrorKind::kUnknown:
    case ErrorKind::kFenced:
    case ErrorKind::kCorrupt:
      return internal_failure(fault_text(error));
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

void write_error(const ApiError& error, Writer& writer) {
  writer.begin_object();
  writer.member("__type", error.type);
  if (!error.message.empty()) writer.member(error.message_key, error.message);
  writer.end_object();
}

}  // namespace millrace::api
