// base/state_json.h: JSON as the log keeps state in it, read strictly: a number that is not whole, or that
// its place cannot hold, throws StateJson::exception like any other surprise. (nlohmann::json casts: 1e300 to
// a 64-bit number in a way that C++ leaves undefined, and 2^32 to a 32-bit 0.) Signed numbers, which are
// times and amounts, lie within 2^53, so that sums of them do not overflow. source: RFC 8259, 6
//
// Header only; who includes it links nlohmann-json.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/result.h"

namespace millrace {

template <typename T, typename Enable = void>
struct StrictSerializer : nlohmann::adl_serializer<T, Enable> {};

template <typename T>
  requires(std::integral<T> && !std::same_as<T, bool>)
struct StrictSerializer<T> {
  template <typename Json>
  static void to_json(Json& json, T value) {
    nlohmann::to_json(json, value);
  }
  static constexpr std::int64_t kSignedMax = (std::int64_t{1} << 53) - 1;
  template <typename Json>
  static void from_json(const Json& json, T& value) {
    const auto take = [&](auto number) {
      const bool is_great = std::cmp_greater(number, kSignedMax) || std::cmp_less(number, -kSignedMax);
      if (!std::in_range<T>(number) || (std::signed_integral<T> && is_great))
        throw Json::out_of_range::create(406, "number out of range", &json);
      value = static_cast<T>(number);
    };
    if (const auto* number = json.template get_ptr<const typename Json::number_unsigned_t*>())
      return take(*number);
    if (const auto* number = json.template get_ptr<const typename Json::number_integer_t*>())
      return take(*number);
    throw Json::type_error::create(302, "not a whole number", &json);
  }
};

using StateJson = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t, std::uint64_t,
                                       double, std::allocator, StrictSerializer>;

// The bytes that a string of base64 stands for.   throws   StateJson::exception
inline std::string bytes_from_base64(const StateJson& value) {
  auto bytes = base64_bytes(value.get_ref<const std::string&>());
  if (!bytes) throw StateJson::other_error::create(500, "not base64", &value);
  return *std::move(bytes);
}

// What `read` makes of the JSON, which may throw StateJson::exception.
// whose    "control log": begins the error's text, which can be shown whatever the bytes are
// errors   kCorrupt
template <typename F>
auto read_state(std::string_view text, std::string_view whose, F&& read)
    -> Result<decltype(read(std::declval<const StateJson&>()))> {
  try {
    const StateJson json = StateJson::parse(text);
    return read(json);
  } catch (const StateJson::parse_error& error) {
    return Error{ErrorKind::kCorrupt, fmt::format("{}: not JSON, at byte {}", whose, error.byte)};
  } catch (const StateJson::exception& error) {
    return Error{ErrorKind::kCorrupt, fmt::format("{}: {}", whose, error.what())};
  }
}

}  // namespace millrace
