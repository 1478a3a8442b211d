#include "leases/cloudwatch/request_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

namespace millrace::leases::cloudwatch {
namespace {

constexpr std::size_t kDimensionsMax = 30;

// Days since the epoch of a date of the Gregorian calendar.
std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = year / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

// Takes `length` digits and what is behind them.
bool take_number(std::string_view& text, std::size_t length, std::string_view behind, unsigned* number) {
  if (text.size() < length + behind.size() || text.substr(length, behind.size()) != behind) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + length, *number);
  if (error != std::errc{} || end != text.data() + length) return false;
  text.remove_prefix(length + behind.size());
  return true;
}

}  // namespace

Failure invalid_value(std::string message) {
  return {"InvalidParameterValue", "InvalidParameterValueException", std::move(message)};
}

Failure missing(std::string_view parameter) {
  return {"MissingParameter", "MissingRequiredParameterException",
          fmt::format("The parameter {} is required.", parameter)};
}

std::optional<double> parse_time(std::string_view iso) {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_number(iso, 4, "-", &year) || !take_number(iso, 2, "-", &month) ||
      !take_number(iso, 2, "T", &day) || !take_number(iso, 2, ":", &hour) ||
      !take_number(iso, 2, "", &minute))
    return std::nullopt;
  if (iso.starts_with(':')) {
    iso.remove_prefix(1);
    if (!take_number(iso, 2, "", &second)) return std::nullopt;
  }
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60)
    return std::nullopt;
  if (iso.starts_with('.')) iso.remove_prefix(std::min(iso.size(), iso.find_first_not_of("0123456789", 1)));
  double offset_s = 0;
  if (!iso.empty() && iso != "Z") {
    const double sign = iso.front() == '-' ? 1 : -1;
    unsigned hours = 0, minutes = 0;
    if (iso.front() != '-' && iso.front() != '+') return std::nullopt;
    iso.remove_prefix(1);
    if (!take_number(iso, 2, "", &hours)) return std::nullopt;
    if (iso.starts_with(':')) iso.remove_prefix(1);
    if (!take_number(iso, 2, "", &minutes) || !iso.empty()) return std::nullopt;
    offset_s = sign * (hours * 3'600.0 + minutes * 60.0);
  }
  return static_cast<double>(days_of(year, month, day)) * 86'400.0 + hour * 3'600.0 + minute * 60.0 + second +
         offset_s;
}

const Json* RequestReader::find(std::string_view name) const {
  const Json* found = map_.find(name);
  return found != nullptr && found->kind == Json::Kind::kText && found->text.empty() ? nullptr : found;
}

std::string RequestReader::text(std::string_view name, std::size_t length_max) {
  const Json* found = find(name);
  if (found == nullptr) return {};
  if (found->kind != Json::Kind::kText) {
    fail(invalid_value(fmt::format("The parameter {} must be a string.", name)));
    return {};
  }
  if (found->text.size() > length_max)
    fail(invalid_value(
        fmt::format("The parameter {} must be shorter than {} characters.", name, length_max + 1)));
  return found->text;
}

std::string RequestReader::required_text(std::string_view name, std::size_t length_max) {
  if (find(name) == nullptr) fail(missing(name));
  return text(name, length_max);
}

std::optional<double> RequestReader::number_of(const Json& value, std::string_view name) {
  double number = value.number;
  bool is_number = value.kind == Json::Kind::kInteger || value.kind == Json::Kind::kDecimal;
  if (value.kind == Json::Kind::kText) {
    const char* end = value.text.data() + value.text.size();
    const auto [at, error] = std::from_chars(value.text.data(), end, number);
    is_number = error == std::errc{} && at == end;
  }
  if (is_number && std::isfinite(number)) return number;
  fail(invalid_value(fmt::format("The parameter {} must be a number other than NaN or infinity.", name)));
  return std::nullopt;
}

std::optional<double> RequestReader::number(std::string_view name) {
  const Json* found = find(name);
  return found == nullptr ? std::nullopt : number_of(*found, name);
}

std::optional<std::int64_t> RequestReader::time_s(std::string_view name) {
  constexpr double kLatest = 1e11;
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  std::optional<double> seconds;
  if (found->kind == Json::Kind::kText)
    seconds = parse_time(found->text);
  else if (found->kind == Json::Kind::kInteger || found->kind == Json::Kind::kDecimal)
    seconds = found->number;
  if (!seconds.has_value() || !(std::abs(*seconds) < kLatest)) {
    fail(invalid_value(fmt::format("The parameter {} must be a time.", name)));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(std::floor(*seconds));
}

const std::vector<Json>& RequestReader::list(std::string_view name, std::size_t items_max) {
  static const std::vector<Json> kNone;
  const Json* found = find(name);
  if (found == nullptr) return kNone;
  if (found->kind != Json::Kind::kList) {
    fail(invalid_value(fmt::format("The parameter {} must be a list.", name)));
    return kNone;
  }
  if (found->items.size() > items_max) {
    fail(invalid_value(
        fmt::format("The collection {} must not have a size greater than {}.", name, items_max)));
    return kNone;
  }
  return found->items;
}

const Json* RequestReader::structure(std::string_view name) {
  const Json* found = find(name);
  if (found == nullptr || found->kind == Json::Kind::kMap) return found;
  fail(invalid_value(fmt::format("The parameter {} must be a structure.", name)));
  return nullptr;
}

std::vector<double> RequestReader::numbers(std::string_view name, std::size_t items_max) {
  std::vector<double> numbers;
  for (const Json& item : list(name, items_max)) numbers.push_back(number_of(item, name).value_or(0));
  return numbers;
}

std::vector<std::string> RequestReader::texts(std::string_view name, std::size_t items_max) {
  std::vector<std::string> texts;
  for (const Json& item : list(name, items_max)) texts.push_back(item.text);
  return texts;
}

Dimensions RequestReader::dimensions() {
  Dimensions dimensions;
  for (const Json& item : list("Dimensions", kDimensionsMax)) {
    RequestReader dimension(item, failure_);
    std::string name = dimension.required_text("Name", 255);
    dimensions.insert_or_assign(std::move(name), dimension.required_text("Value", 1'024));
  }
  return dimensions;
}

}  // namespace millrace::leases::cloudwatch
