// api/document_reader.h: what read_document keeps of a body, told in events by a parser of some encoding.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/encoding.h"
#include "api/field.h"
#include "api/value.h"
#include "base/bytes.h"

namespace millrace::api {

// An event that says false ends the reading: the body is refused. key() and text() may move from what they
// get.
class DocumentReader {
 public:
  DocumentReader(Encoding encoding, std::span<const Field> fields)
      : encoding_(encoding), root_fields_(fields) {}

  bool null();
  bool boolean(bool boolean);
  bool integer(std::int64_t integer);  // saturated
  bool floating(double number);
  bool text(std::string& utf8);
  bool bytes(std::string& bytes);
  bool begin(Value::Kind kind);  // kList or kMap
  bool key(std::string& name);   // of the map that began last; its value follows
  bool end();

  Value take() { return std::move(root_); }

 private:
  enum class What : std::uint8_t { kStructure, kMap, kList, kStructureList };
  struct Frame {
    What what;
    Value* value;
    std::span<const Field> fields;  // of a structure, or of each structure in a list
    Value* pending = nullptr;       // where the next value goes; nullptr: nowhere
    const Field* pending_field = nullptr;
  };

  static Value* member_of(Value& map, std::string& name);
  Value* next_slot();
  bool number(double number, std::int64_t integer);
  bool enter_if(bool right_kind, What what, Value& value, std::span<const Field> fields);

  Encoding encoding_;
  std::span<const Field> root_fields_;
  Value root_;
  std::vector<Frame> frames_;
  std::size_t skipped_depth_ = 0;  // inside what no field describes
};

// The parsers. False: not well-formed, or the reader refused.
bool parse_json(ByteView body, DocumentReader& reader);
bool parse_cbor(ByteView body, DocumentReader& reader);

}  // namespace millrace::api
