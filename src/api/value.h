// api/value.h: a request's body as it was read, before its types and constraints are checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::api {

// Only what the operation's description names is kept, and of long lists and maps only the first
// kItemsKeptMax: so a hostile body cannot make a large tree.
struct Value {
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kBytes, kList, kMap };

  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;
  std::int64_t integer = 0;             // `number` without its fraction, or the nearest end of the range
  std::string text = {};                // a string's characters, or bytes
  std::vector<std::string> names = {};  // of a map's members; empty in a structure
  // A list's items; a map's values, as `names`; a structure's members, one for each field of its description.
  std::vector<Value> items = {};

  bool absent() const { return kind == Kind::kNull; }
};

inline constexpr std::size_t kItemsKeptMax = 1'000;

}  // namespace millrace::api
