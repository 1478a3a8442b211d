// api/writer.h: writes an answer's body, in JSON or CBOR.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/encoding.h"
#include "base/bytes.h"

namespace millrace::api {

// Any one thread. The caller nests begin and end properly; nothing checks it.
class Writer {
 public:
  explicit Writer(Encoding encoding) : encoding_(encoding) {}

  Encoding encoding() const { return encoding_; }
  Bytes& bytes() { return bytes_; }

  void begin_object();
  void end_object();
  void begin_list();
  void end_list();
  void key(std::string_view name);

  void text(std::string_view utf8);
  void integer(std::int64_t value);
  void decimal(double value);  // finite
  void boolean(bool value);
  void blob(ByteView bytes);
  // JSON: seconds with three decimals. CBOR: integer milliseconds, as the SDKs for Java read it.
  void timestamp(std::int64_t ms);

  void member(std::string_view name, std::string_view utf8) { key(name), text(utf8); }
  void member(std::string_view name, const char* utf8) { key(name), text(utf8); }
  void member(std::string_view name, std::int64_t value) { key(name), integer(value); }
  void member(std::string_view name, bool value) { key(name), boolean(value); }

 private:
  void separate();
  void cbor_head(std::uint8_t major, std::uint64_t argument);

  Bytes bytes_;
  Encoding encoding_;
  bool needs_comma_ = false;
};

// Appends `utf8` as the inside of a JSON string.
void append_escaped(std::string_view utf8, Bytes& out);
}  // namespace millrace::api
