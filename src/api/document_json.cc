// JSON by nlohmann's event parser: it keeps no tree, knows no depth of its own, and checks UTF-8.

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/document_reader.h"

namespace millrace::api {
namespace {

using Json = nlohmann::json;

class Events {
 public:
  explicit Events(DocumentEvents& reader) : reader_(reader) {}

  bool null() { return reader_.null(); }
  bool boolean(bool boolean) { return reader_.boolean(boolean); }
  bool number_integer(std::int64_t integer) { return reader_.integer(integer); }
  bool number_unsigned(std::uint64_t integer) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return reader_.integer(static_cast<std::int64_t>(std::min(integer, kMax)));
  }
  bool number_float(double number, const std::string&) { return reader_.floating(number); }
  bool string(std::string& text) { return reader_.text(text); }
  bool binary(Json::binary_t&) { return false; }  // not in JSON
  bool start_object(std::size_t) { return reader_.begin(Value::Kind::kMap); }
  bool key(std::string& name) { return reader_.key(name); }
  bool end_object() { return reader_.end(); }
  bool start_array(std::size_t) { return reader_.begin(Value::Kind::kList); }
  bool end_array() { return reader_.end(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  DocumentEvents& reader_;
};

}  // namespace

bool parse_json(ByteView body, DocumentEvents& reader) {
  Events events(reader);
  return Json::sax_parse(body.begin(), body.end(), &events);
}

}  // namespace millrace::api
