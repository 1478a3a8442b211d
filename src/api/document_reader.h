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

// What the parsers tell. An event that says false ends the reading: the body is refused. key() and text() may
// move from what they get.
class DocumentEvents {
 public:
  virtual ~DocumentEvents() = default;
  virtual bool null() = 0;
  virtual bool boolean(bool boolean) = 0;
  virtual bool integer(std::int64_t integer) = 0;  // saturated
  virtual bool floating(double number) = 0;
  virtual bool text(std::string& utf8) = 0;
  virtual bool bytes(std::string& bytes) = 0;
  virtual bool begin(Value::Kind kind) = 0;  // kList or kMap
  virtual bool key(std::string& name) = 0;   // of the map that began last; its value follows
  virtual bool end() = 0;
};

class DocumentReader final : public DocumentEvents {
 public:
  DocumentReader(Encoding encoding, std::span<const Field> fields)
      : encoding_(encoding), root_fields_(fields) {}

  bool null() override;
  bool boolean(bool boolean) override;
  bool integer(std::int64_t integer) override;
  bool floating(double number) override;
  bool text(std::string& utf8) override;
  bool bytes(std::string& bytes) override;
  bool begin(Value::Kind kind) override;
  bool key(std::string& name) override;
  bool end() override;

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

// The parsers; they recurse nowhere, and JSON must be UTF-8; texts of CBOR may not be. False: not
// well-formed, or an event was refused.
bool parse_json(ByteView body, DocumentEvents& reader);
bool parse_cbor(ByteView body, DocumentEvents& reader);

bool is_utf8(std::string_view text);

}  // namespace millrace::api
