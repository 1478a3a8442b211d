#include "api/document.h"

#include "api/document_reader.h"

namespace millrace::api {

std::optional<Value> read_document(Encoding encoding, ByteView body, std::span<const Field> fields) {
  DocumentReader reader(encoding, fields);
  const bool well_formed = encoding == Encoding::kJson ? parse_json(body, reader) : parse_cbor(body, reader);
  if (!well_formed) return std::nullopt;
  return reader.take();
}

}  // namespace millrace::api
