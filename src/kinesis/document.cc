#include "kinesis/document.h"

#include <simdjson.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace millrace::kinesis {
namespace {

constexpr std::size_t kDepthMax = 64;

using Json = nlohmann::json;

std::int64_t floor_to_integer(double number) {
  const double whole = std::floor(number);
  if (!(whole > -9.2e18)) return std::numeric_limits<std::int64_t>::min();
  if (whole > 9.2e18) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(whole);
}

// Takes the parser's events and keeps what the description names.
class Reader {
 public:
  Reader(Encoding encoding, std::span<const Field> fields) : encoding_(encoding), root_fields_(fields) {}

  Value take() { return std::move(root_); }

  bool null() {
    next_slot();
    return true;
  }
  bool boolean(bool boolean) {
    if (Value* slot = next_slot(); slot != nullptr) {
      slot->kind = Value::Kind::kBoolean;
      slot->boolean = boolean;
    }
    return true;
  }
  bool number_integer(std::int64_t integer) { return number(static_cast<double>(integer), integer); }
  bool number_unsigned(std::uint64_t integer) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return number(static_cast<double>(integer), static_cast<std::int64_t>(std::min(integer, kMax)));
  }
  bool number_float(double value, const std::string&) { return number(value, floor_to_integer(value)); }
  bool string(std::string& text) {
    if (encoding_ == Encoding::kCbor && !simdjson::validate_utf8(text)) return false;
    if (Value* slot = next_slot(); slot != nullptr) {
      slot->kind = Value::Kind::kString;
      slot->text = std::move(text);
    }
    return true;
  }
  bool binary(Json::binary_t& bytes) {
    if (Value* slot = next_slot(); slot != nullptr) {
      slot->kind = Value::Kind::kBytes;
      slot->text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return true;
  }

  bool start_object(std::size_t) { return start(Value::Kind::kMap); }
  bool end_object() { return end(); }
  bool start_array(std::size_t) { return start(Value::Kind::kList); }
  bool end_array() { return end(); }

  bool key(std::string& name) {
    if (skipped_depth_ > 0) return true;
    Frame& frame = frames_.back();
    frame.pending = nullptr;
    if (frame.what == What::kStructure) {
      for (std::size_t i = 0; i < frame.fields.size(); ++i) {
        if (frame.fields[i].name != name) continue;
        frame.pending = &frame.value->items[i];
        frame.pending_field = &frame.fields[i];
        *frame.pending = Value{};
      }
    } else if (frame.what == What::kMap) {
      frame.pending = member_of(*frame.value, name);
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  enum class What : std::uint8_t { kStructure, kMap, kList, kStructureList };
  struct Frame {
    What what;
    Value* value;
    std::span<const Field> fields;  // of a structure, or of each structure in a list
    Value* pending = nullptr;       // where the next value goes; nullptr: nowhere
    const Field* pending_field = nullptr;
  };

  static Value* member_of(Value& map, std::string& name) {
    for (std::size_t i = 0; i < map.names.size(); ++i) {
      if (map.names[i] != name) continue;
      map.items[i] = Value{};
      return &map.items[i];
    }
    if (map.items.size() == kItemsKeptMax) return nullptr;
    map.names.push_back(std::move(name));
    return &map.items.emplace_back();
  }

  // Where the value that the parser is at belongs, or nullptr.
  Value* next_slot() {
    if (skipped_depth_ > 0) return nullptr;
    if (frames_.empty()) return &root_;
    Frame& frame = frames_.back();
    if (frame.what == What::kList || frame.what == What::kStructureList) {
      if (frame.value->items.size() == kItemsKeptMax) return nullptr;
      return &frame.value->items.emplace_back();
    }
    return frame.pending;
  }

  bool number(double value, std::int64_t integer) {
    if (Value* slot = next_slot(); slot != nullptr) {
      slot->kind = Value::Kind::kNumber;
      slot->number = value;
      slot->integer = integer;
    }
    return true;
  }

  bool start(Value::Kind kind) {
    if (frames_.size() + skipped_depth_ == kDepthMax) return false;
    Value* slot = next_slot();
    if (slot == nullptr) {
      ++skipped_depth_;
      return true;
    }
    slot->kind = kind;
    if (frames_.empty()) return enter_if(kind == Value::Kind::kMap, What::kStructure, *slot, root_fields_);
    const Frame& frame = frames_.back();
    if (frame.what == What::kStructureList)
      return enter_if(kind == Value::Kind::kMap, What::kStructure, *slot, frame.fields);
    if (frame.what != What::kStructure) return enter_if(false, What::kList, *slot, {});
    const Field& field = *frame.pending_field;
    switch (field.type) {
      case FieldType::kStructure:
        return enter_if(kind == Value::Kind::kMap, What::kStructure, *slot, field.children());
      case FieldType::kStructureList:
        return enter_if(kind == Value::Kind::kList, What::kStructureList, *slot, field.children());
      case FieldType::kStringList:
        return enter_if(kind == Value::Kind::kList, What::kList, *slot, {});
      case FieldType::kStringMap:
        return enter_if(kind == Value::Kind::kMap, What::kMap, *slot, {});
      case FieldType::kString:
      case FieldType::kInteger:
      case FieldType::kBoolean:
      case FieldType::kBlob:
      case FieldType::kTimestamp:
        break;
    }
    return enter_if(false, What::kList, *slot, {});
  }

  // A container of the wrong kind keeps its kind, for the type error, and loses its content.
  bool enter_if(bool right_kind, What what, Value& value, std::span<const Field> fields) {
    if (!right_kind) {
      ++skipped_depth_;
      return true;
    }
    if (what == What::kStructure) value.items.resize(fields.size());
    frames_.push_back({what, &value, fields});
    return true;
  }

  bool end() {
    if (skipped_depth_ > 0) {
      --skipped_depth_;
    } else {
      frames_.pop_back();
    }
    return true;
  }

  Encoding encoding_;
  std::span<const Field> root_fields_;
  Value root_;
  std::vector<Frame> frames_;
  std::size_t skipped_depth_ = 0;
};

}  // namespace

std::optional<Value> read_document(Encoding encoding, ByteView body, std::span<const Field> fields) {
  Reader reader(encoding, fields);
  if (encoding != Encoding::kJson || !Json::sax_parse(body.begin(), body.end(), &reader)) return std::nullopt;
  return reader.take();
}

}  // namespace millrace::kinesis
