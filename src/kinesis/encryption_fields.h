// kinesis/encryption_fields.h: what StartStreamEncryption and StopStreamEncryption both are told.
#pragma once

#include <iterator>
#include <string>
#include <utility>

#include "kinesis/protocol.h"

namespace millrace::kinesis {

struct EncryptionMembers {
  std::string type;
  std::string key_id;  // of a master key: id, ARN, alias name or alias ARN
};

inline constexpr std::string_view kEncryptionTypes[] = {"KMS", "NONE"};

// Requests have a member `encryption`.
template <typename Request>
constexpr Field encryption_type() {
  return {"EncryptionType",
          FieldType::kString,
          true,
          {.allowed = kEncryptionTypes, .allowed_count = std::size(kEncryptionTypes)},
          nullptr,
          [](void* request, Value&& checked) {
            static_cast<Request*>(request)->encryption.type = std::move(checked.text);
          }};
}
template <typename Request>
constexpr Field key_id() {
  return {"KeyId",
          FieldType::kString,
          true,
          {.min = 1, .max = 2'048},
          nullptr,
          [](void* request, Value&& checked) {
            static_cast<Request*>(request)->encryption.key_id = std::move(checked.text);
          }};
}

inline Outcome check_type(const EncryptionMembers& members) {
  if (members.type == "KMS") return std::nullopt;
  return invalid_argument("KMS is the only valid EncryptionType for this request");
}

}  // namespace millrace::kinesis
