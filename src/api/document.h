// api/document.h: reads a body, in any encoding, by the description of its fields. The place where a
// further encoding plugs in.
#pragma once

#include <optional>
#include <span>

#include "api/encoding.h"
#include "api/field.h"
#include "api/value.h"
#include "base/bytes.h"

namespace millrace::api {

// The whole body as one value: a structure of `fields` where it is an object. What no field describes is
// checked for form and forgotten; of a name that comes twice the last counts. nullopt: not well-formed, not
// UTF-8, or nested deeper than 64. Any thread.
std::optional<Value> read_document(Encoding encoding, ByteView body, std::span<const Field> fields);

}  // namespace millrace::api
