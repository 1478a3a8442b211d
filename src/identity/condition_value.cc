#include "identity/condition_value.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "identity/glob.h"

namespace millrace::identity {
namespace {

// Exactly `count` digits at the front, which are taken off.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int number = 0;
  if (text.size() < count) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970 of a day of the Gregorian calendar. source: Howard Hinnant, "days_from_civil"
std::int64_t days_of(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

// "T23:59:59.5+01:00" and shorter; seconds to add.
std::optional<double> time_of_day(std::string_view text) {
  if (text.empty()) return 0;
  if (!take(text, 'T')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours.has_value() || *hours > 24 || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes.has_value() || *minutes > 59) return std::nullopt;
  double seconds = *hours * 3'600 + *minutes * 60;
  if (take(text, ':')) {
    const auto whole = take_digits(text, 2);
    if (!whole.has_value() || *whole > 60) return std::nullopt;
    seconds += *whole;
    if (take(text, '.')) {
      double weight = 0.1;
      while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        seconds += weight * (text.front() - '0');
        weight /= 10;
        text.remove_prefix(1);
      }
    }
  }
  if (text == "Z" || text.empty()) return seconds;
  const bool behind = text.front() == '-';
  if (!behind && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto zone_hours = take_digits(text, 2);
  if (!zone_hours.has_value()) return std::nullopt;
  take(text, ':');
  const auto zone_minutes = take_digits(text, 2);
  if (!zone_minutes.has_value() || !text.empty()) return std::nullopt;
  const double offset = *zone_hours * 3'600 + *zone_minutes * 60;
  return behind ? seconds + offset : seconds - offset;
}

std::optional<IpRange> parse_ip(std::string_view text) {
  const std::string terminated(text.substr(0, INET6_ADDRSTRLEN));
  IpRange range;
  if (inet_pton(AF_INET, terminated.c_str(), range.address.data()) == 1) {
    range.bits = 32;
    return range;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), range.address.data()) != 1) return std::nullopt;
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), range.address.begin())) {
    std::copy_n(range.address.begin() + 12, 4, range.address.begin());
    range.bits = 32;
    return range;
  }
  range.v6 = true;
  range.bits = 128;
  return range;
}

}  // namespace

std::optional<double> parse_decimal(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<double> parse_moment(std::string_view text) {
  if (const auto seconds = parse_decimal(text); seconds.has_value()) return seconds;
  const auto year = take_digits(text, 4);
  if (!year.has_value() || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month.has_value() || *month < 1 || *month > 12 || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day.has_value() || *day < 1 || *day > 31) return std::nullopt;
  const auto time = time_of_day(text);
  if (!time.has_value()) return std::nullopt;
  return static_cast<double>(days_of(*year, *month, *day)) * 86'400 + *time;
}

std::optional<bool> parse_truth(std::string_view text) {
  const std::string word = folded(text);
  if (word == "true") return true;
  if (word == "false") return false;
  return std::nullopt;
}

std::optional<IpRange> parse_ip_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  auto range = parse_ip(text.substr(0, slash));
  if (!range.has_value() || slash == std::string_view::npos) return range;
  const std::string_view digits = text.substr(slash + 1);
  int bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits < 0 || bits > range->bits)
    return std::nullopt;
  range->bits = bits;
  return range;
}

bool is_within(std::string_view address, const IpRange& range) {
  const auto parsed = parse_ip(address);
  if (!parsed.has_value() || parsed->v6 != range.v6) return false;
  for (int bit = 0; bit < range.bits; bit += 8) {
    const auto index = static_cast<std::size_t>(bit / 8);
    const int count = std::min(8, range.bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - count));
    if ((parsed->address[index] & mask) != (range.address[index] & mask)) return false;
  }
  return true;
}

}  // namespace millrace::identity
