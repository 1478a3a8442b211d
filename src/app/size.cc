#include "app/size.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace millrace::app {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 5> kUnits{
    {{"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};

}  // namespace

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) {
    return Error{ErrorKind::kInvalid, "not a whole number"};
  }
  return number;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  int shift = 0;
  for (const auto& [unit, unit_shift] : kUnits) {
    if (text.ends_with(unit) && (unit != "B" || !text.ends_with("iB"))) {
      shift = unit_shift;
      text.remove_suffix(unit.size());
      break;
    }
  }
  MR_ASSIGN(const std::uint64_t number, parse_number(text));
  if (number > std::numeric_limits<std::uint64_t>::max() >> shift) {
    return Error{ErrorKind::kInvalid, "more than 64 bits hold"};
  }
  return number << shift;
}

std::string format_size(std::uint64_t bytes) {
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    const auto [name, shift] = *unit;
    if (shift > 0 && bytes != 0 && bytes % (std::uint64_t{1} << shift) == 0) {
      return fmt::format("{}{}", bytes >> shift, name);
    }
  }
  return std::to_string(bytes);
}

}  // namespace millrace::app
