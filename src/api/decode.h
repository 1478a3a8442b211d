// api/decode.h: from a body to a request's struct, by the description of its fields.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "api/api_error.h"
#include "api/document.h"
#include "api/field.h"

namespace millrace::api {

// Checks `body` and fills `request`, a default-constructed struct that `fields` describes.
// errors   SerializationException: not well-formed, or a value of the wrong type.
//          ValidationException: constraints not met, at most ten of them.
Outcome decode(Encoding encoding, ByteView body, std::span<const Field> fields, std::int64_t blob_bytes_max,
               void* request);

// The steps of it. check_types also decodes base64 where JSON carries bytes, and clamps integers to 32 bits.
Outcome check_types(std::span<const Field> fields, Value& structure);
Outcome check_rules(std::span<const Field> fields, const Value& structure, std::int64_t blob_bytes_max);

// Length in UTF-16 units of valid UTF-8.
std::size_t utf16_length(std::string_view utf8);

}  // namespace millrace::api
