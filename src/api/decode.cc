#include "api/decode.h"

#include <utility>

namespace millrace::api {

void store_structure(std::span<const Field> fields, void* structure, Value&& value) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (!value.items[i].absent()) fields[i].store(structure, std::move(value.items[i]));
}

Outcome decode(Encoding encoding, ByteView body, std::span<const Field> fields, std::int64_t blob_bytes_max,
               void* request) {
  std::optional<Value> document = read_document(encoding, body, fields);
  if (!document.has_value()) return serialization("");
  if (document->kind == Value::Kind::kList) return serialization("Start of list found where not expected");
  if (document->kind != Value::Kind::kMap) return serialization("");
  if (Outcome error = check_types(fields, *document); error.has_value()) return error;
  if (Outcome error = check_rules(fields, *document, blob_bytes_max); error.has_value()) return error;
  store_structure(fields, request, std::move(*document));
  return std::nullopt;
}

}  // namespace millrace::api
