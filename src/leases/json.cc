#include "leases/json.h"

#include <utility>

#include "api/document_reader.h"

namespace millrace::leases {
namespace {

class TreeBuilder final : public api::DocumentEvents {
 public:
  explicit TreeBuilder(std::size_t values_max) : values_max_(values_max) {}

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add({.kind = Json::Kind::kBoolean, .boolean = value}); }
  bool integer(std::int64_t value) override {
    return add({.kind = Json::Kind::kInteger, .number = static_cast<double>(value)});
  }
  bool floating(double value) override { return add({.kind = Json::Kind::kDecimal, .number = value}); }
  // It is kept, and told to others in answers that must be UTF-8.
  bool text(std::string& utf8) override {
    return api::is_utf8(utf8) && add({.kind = Json::Kind::kText, .text = std::move(utf8)});
  }
  bool bytes(std::string& bytes) override { return text(bytes); }
  bool begin(api::Value::Kind kind) override {
    if (open_.size() == kJsonDepthMax) {
      document.fault = JsonFault::kTooDeep;
      return false;
    }
    Json* opened = place({.kind = kind == api::Value::Kind::kMap ? Json::Kind::kMap : Json::Kind::kList});
    if (opened != nullptr) open_.push_back(opened);
    return opened != nullptr;
  }
  bool key(std::string& name) override {
    if (!api::is_utf8(name)) return false;
    open_.back()->names.push_back(std::move(name));
    return true;
  }
  bool end() override {
    open_.pop_back();
    return true;
  }

  JsonDocument document;

 private:
  Json* place(Json value) {
    if (++document.values > values_max_) {
      document.fault = JsonFault::kTooManyValues;
      return nullptr;
    }
    if (open_.empty()) {
      document.root = std::move(value);
      return &document.root;
    }
    return &open_.back()->items.emplace_back(std::move(value));
  }
  bool add(Json value) { return place(std::move(value)) != nullptr; }

  std::vector<Json*>
      open_;  // a list grows only while none of its items is open, so these stay where they are
  std::size_t values_max_;
};

JsonDocument parse(bool (*parser)(ByteView, api::DocumentEvents&), ByteView body, std::size_t values_max) {
  TreeBuilder builder(values_max);
  if (!parser(body, builder) && builder.document.fault == JsonFault::kNone)
    builder.document.fault = JsonFault::kNotJson;
  return std::move(builder.document);
}

}  // namespace

const Json* Json::find(std::string_view name) const {
  for (std::size_t i = names.size(); i > 0; --i)
    if (names[i - 1] == name) return items[i - 1].kind == Kind::kNull ? nullptr : &items[i - 1];
  return nullptr;
}

std::uint64_t read_bytes(const JsonDocument& document, std::size_t body_bytes) {
  constexpr std::uint64_t kValueBytes = sizeof(Json) + sizeof(std::string);
  return body_bytes + document.values * kValueBytes;
}

JsonDocument parse_json(ByteView body, std::size_t values_max) {
  return parse(&api::parse_json, body, values_max);
}

JsonDocument parse_cbor(ByteView body, std::size_t values_max) {
  return parse(&api::parse_cbor, body, values_max);
}

}  // namespace millrace::leases
