#include "api/document_reader.h"

#include <simdjson.h>

#include "api/number.h"

namespace millrace::api {
namespace {

constexpr std::size_t kDepthMax = 64;

}  // namespace

bool DocumentReader::null() {
  next_slot();
  return true;
}

bool DocumentReader::boolean(bool boolean) {
  if (Value* slot = next_slot(); slot != nullptr) {
    slot->kind = Value::Kind::kBoolean;
    slot->boolean = boolean;
  }
  return true;
}

bool DocumentReader::integer(std::int64_t integer) {
  // CBOR carries times in milliseconds where they are integers; JSON in seconds always.
  const bool is_time = encoding_ == Encoding::kCbor && skipped_depth_ == 0 && !frames_.empty() &&
                       frames_.back().what == What::kStructure && frames_.back().pending != nullptr &&
                       frames_.back().pending_field->type == FieldType::kTimestamp;
  return number(is_time ? static_cast<double>(integer) / 1'000 : static_cast<double>(integer), integer);
}

bool DocumentReader::floating(double value) { return number(value, to_integer(value)); }

bool DocumentReader::text(std::string& utf8) {
  if (encoding_ == Encoding::kCbor && !is_utf8(utf8)) return false;
  if (Value* slot = next_slot(); slot != nullptr) {
    slot->kind = Value::Kind::kString;
    slot->text = std::move(utf8);
  }
  return true;
}

bool DocumentReader::bytes(std::string& bytes) {
  if (Value* slot = next_slot(); slot != nullptr) {
    slot->kind = Value::Kind::kBytes;
    slot->text = std::move(bytes);
  }
  return true;
}

bool DocumentReader::key(std::string& name) {
  if (encoding_ == Encoding::kCbor && !is_utf8(name)) return false;
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

Value* DocumentReader::member_of(Value& map, std::string& name) {
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
Value* DocumentReader::next_slot() {
  if (skipped_depth_ > 0) return nullptr;
  if (frames_.empty()) return &root_;
  Frame& frame = frames_.back();
  if (frame.what == What::kList || frame.what == What::kStructureList) {
    if (frame.value->items.size() == kItemsKeptMax) return nullptr;
    return &frame.value->items.emplace_back();
  }
  return frame.pending;
}

bool DocumentReader::number(double value, std::int64_t integer) {
  if (Value* slot = next_slot(); slot != nullptr) {
    slot->kind = Value::Kind::kNumber;
    slot->number = value;
    slot->integer = integer;
  }
  return true;
}

bool DocumentReader::begin(Value::Kind kind) {
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
bool DocumentReader::enter_if(bool right_kind, What what, Value& value, std::span<const Field> fields) {
  if (!right_kind) {
    ++skipped_depth_;
    return true;
  }
  if (what == What::kStructure) value.items.resize(fields.size());
  frames_.push_back({what, &value, fields});
  return true;
}

bool DocumentReader::end() {
  if (skipped_depth_ > 0) {
    --skipped_depth_;
  } else {
    frames_.pop_back();
  }
  return true;
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace millrace::api
