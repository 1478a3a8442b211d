// leases/json.h: a request's body as a tree, within bounds that a hostile one cannot pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace millrace::leases {

struct Json {
  enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kDecimal, kText, kList, kMap };

  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;                    // of kInteger and kDecimal
  std::string text = {};                // UTF-8
  std::vector<std::string> names = {};  // of a map, as `items`; a name may come twice: the last counts
  std::vector<Json> items = {};         // of a list, or a map's values

  // Of a map: the member of that name, unless it is null or not there.
  const Json* find(std::string_view name) const;
};

// Deep enough for an item of 32 levels in the deepest request, TransactWriteItems.
inline constexpr std::size_t kJsonDepthMax = 80;
// 96 bytes and more of memory each. The largest item, 400 KB of empty strings, has fewer.
inline constexpr std::size_t kJsonValuesMax = 600'000;

enum class JsonFault : std::uint8_t { kNone, kNotJson, kTooDeep, kTooManyValues };
struct JsonDocument {
  Json root;
  JsonFault fault = JsonFault::kNone;
  std::size_t values = 0;
};
// Of memory, about, that a request takes once it is read: many times its body, where that is of small values.
std::uint64_t read_bytes(const JsonDocument& document, std::size_t body_bytes);

// Any thread. CBOR comes out as the same document would in JSON; tags say nothing, and bytes are text.
JsonDocument parse_json(ByteView body, std::size_t values_max = kJsonValuesMax);
JsonDocument parse_cbor(ByteView body, std::size_t values_max = kJsonValuesMax);

}  // namespace millrace::leases
