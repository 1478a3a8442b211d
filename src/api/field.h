// api/field.h: the description of a request's fields. Decoding, type errors, validation texts, the
// coverage page and fuzz seeds come from it: docs/decisions/0004-operations-by-description.md.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/number.h"
#include "api/value.h"

namespace millrace::api {

enum class FieldType : std::uint8_t {
  kString,
  kInteger,
  kBoolean,
  kBlob,
  kTimestamp,
  kStringList,
  kStringMap,
  kStructure,
  kStructureList,
};

// A regular expression of the API reference: its text, for the message, and what decides.
struct Pattern {
  std::string_view text;
  bool (*matches)(std::string_view);
};

struct Field;

inline constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::min();
// Stands for FrontDoorOptions::blob_bytes_max, which only the running server knows.
inline constexpr std::int64_t kMaxBlobBytes = kUnbounded + 1;

struct LengthRange {
  std::int64_t min;
  std::int64_t max;
};

// Constraints, checked and reported in this order. A string's length is in UTF-16 units, as Java counts.
struct Rules {
  const std::string_view* allowed = nullptr;  // the values of an enumeration, or of each item of a list …
  std::size_t allowed_count = 0;
  const Pattern* pattern = nullptr;
  std::int64_t min = kUnbounded;  // of an integer its value, else its length
  std::int64_t max = kUnbounded;
  std::optional<LengthRange> keys = {};     // each key of a map
  std::optional<LengthRange> members = {};  // each item of a list, each value of a map
  std::string_view shown_as = {};           // what a message shows for each structure of a list
  std::string_view unless = {};             // required only where the field of this name is absent too
};

struct Field {
  std::string_view name;
  FieldType type;
  bool required;
  Rules rules;
  std::span<const Field> (*children)();           // of a structure
  void (*store)(void* request, Value&& checked);  // moves a present value into the request's member
};

// What the types of a request's members say about their fields: an optional one is not required.
struct Timestamp {
  double seconds;  // since the epoch; any number but NaN
  // Rounded; the nearest end of the range where it does not fit.
  std::int64_t ms() const { return to_integer(seconds * 1'000 + (seconds < 0 ? -0.5 : 0.5)); }
};
struct Blob {
  std::string bytes;
};

void store_structure(std::span<const Field> fields, void* structure, Value&& value);

// A member that is a structure has `static std::span<const Field> fields()`.
template <typename T>
struct Member {
  static constexpr FieldType kType = FieldType::kStructure;
  static constexpr bool kRequired = true;
  static constexpr std::span<const Field> (*kChildren)() = &T::fields;
  static void put(T& out, Value&& value) { store_structure(T::fields(), &out, std::move(value)); }
};
template <FieldType Type>
struct ScalarMember {
  static constexpr FieldType kType = Type;
  static constexpr bool kRequired = true;
  static constexpr std::span<const Field> (*kChildren)() = nullptr;
};
template <>
struct Member<std::string> : ScalarMember<FieldType::kString> {
  static void put(std::string& out, Value&& value) { out = std::move(value.text); }
};
template <>
struct Member<std::int32_t> : ScalarMember<FieldType::kInteger> {
  static void put(std::int32_t& out, Value&& value) { out = static_cast<std::int32_t>(value.integer); }
};
template <>
struct Member<bool> : ScalarMember<FieldType::kBoolean> {
  static void put(bool& out, Value&& value) { out = value.boolean; }
};
template <>
struct Member<Blob> : ScalarMember<FieldType::kBlob> {
  static void put(Blob& out, Value&& value) { out.bytes = std::move(value.text); }
};
template <>
struct Member<Timestamp> : ScalarMember<FieldType::kTimestamp> {
  static void put(Timestamp& out, Value&& value) { out.seconds = value.number; }
};
template <>
struct Member<std::vector<std::string>> : ScalarMember<FieldType::kStringList> {
  static void put(std::vector<std::string>& out, Value&& value) {
    for (Value& item : value.items) out.push_back(std::move(item.text));
  }
};
template <>
struct Member<std::map<std::string, std::string>> : ScalarMember<FieldType::kStringMap> {
  static void put(std::map<std::string, std::string>& out, Value&& value) {
    for (std::size_t i = 0; i < value.items.size(); ++i)
      out.insert_or_assign(std::move(value.names[i]), std::move(value.items[i].text));
  }
};
template <typename T>
struct Member<std::vector<T>> {
  static constexpr FieldType kType = FieldType::kStructureList;
  static constexpr bool kRequired = true;
  static constexpr std::span<const Field> (*kChildren)() = &T::fields;
  static void put(std::vector<T>& out, Value&& value) {
    out.reserve(value.items.size());
    for (Value& item : value.items) store_structure(T::fields(), &out.emplace_back(), std::move(item));
  }
};
template <typename T>
struct Member<std::optional<T>> {
  static constexpr FieldType kType = Member<T>::kType;
  static constexpr bool kRequired = false;
  static constexpr std::span<const Field> (*kChildren)() = Member<T>::kChildren;
  static void put(std::optional<T>& out, Value&& value) { Member<T>::put(out.emplace(), std::move(value)); }
};

// field<Request, &Request::hours>("RetentionPeriodHours", {.min = 1, .max = 8'760})
template <typename Request, auto kMember>
constexpr Field field(std::string_view name, Rules rules = {}) {
  using T = std::remove_reference_t<decltype(std::declval<Request&>().*kMember)>;
  return {name,
          Member<T>::kType,
          Member<T>::kRequired,
          rules,
          Member<T>::kChildren,
          [](void* request, Value&& checked) {
            Member<T>::put(static_cast<Request*>(request)->*kMember, std::move(checked));
          }};
}

}  // namespace millrace::api
