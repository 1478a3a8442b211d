// leases/dynamodb/attribute_json.h: attribute values as requests and answers write them: {"S": "text"}.
#pragma once

#include <string_view>

#include "api/writer.h"
#include "leases/dynamodb/attribute.h"
#include "leases/dynamodb/refusal.h"
#include "leases/json.h"

namespace millrace::leases::dynamodb {

// Both refuse what the service refuses: unknown or several types, bad numbers and base64, empty and double
// elements of sets, more than 32 levels.
Outcome read_value(const Json& json, AttributeValue* value);
Outcome read_attributes(const Json& json, Attributes* attributes);

void write_value(const AttributeValue& value, api::Writer& writer);
void write_attributes(const Attributes& attributes, api::Writer& writer);
// "item": `attributes`
void write_member(std::string_view name, const Attributes& attributes, api::Writer& writer);

}  // namespace millrace::leases::dynamodb
